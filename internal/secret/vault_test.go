package secret_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcpproxy/internal/secret"
	"mcpproxy/internal/secret/secrettest"
)

func openVault(t *testing.T, dir string, keys secret.Store) *secret.Vault {
	t.Helper()
	v, err := secret.OpenVault(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVault_AnySize(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	v := openVault(t, dir, keys)
	for _, size := range []int{0, 1, 20 << 10, 1 << 20} {
		name := fmt.Sprintf("https://login.example/%d ünïcode\n", size)
		want := make([]byte, size)
		_, _ = rand.Read(want)
		for range 2 { // the second replaces the first
			if err := v.Set(name, want); err != nil {
				t.Fatal(err)
			}
		}
		got, err := openVault(t, dir, keys).Get(name) // another process with the same keyring
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: Get = %d bytes, %v", size, len(got), err)
		}
		if err := v.Delete(name); err != nil {
			t.Error(err)
		}
		if _, err := v.Get(name); !errors.Is(err, secret.ErrNotFound) {
			t.Errorf("Get after Delete = %v, want ErrNotFound", err)
		}
		if err := v.Delete(name); !errors.Is(err, secret.ErrNotFound) {
			t.Errorf("second Delete = %v, want ErrNotFound", err)
		}
	}
	if names, err := keys.List(); len(names) != 0 || err != nil {
		t.Errorf("List of the keyring = %q, %v, want the vault's key hidden", names, err)
	}
}

func TestVault_NothingInClear(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tokens")
	v := openVault(t, dir, &secrettest.Memory{})
	if err := v.Set("SERVER-CANARY", []byte("VALUE-CANARY")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || strings.Contains(f.Name()+string(text), "CANARY") {
			t.Errorf("%s: %v, want neither name nor value in clear", f.Name(), err)
		}
		if info, err := f.Info(); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v, want 0700", info, err)
	}
}

// sealedFile returns the one file that v holds.
func sealedFile(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.sealed"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("files %q, %v, want one", paths, err)
	}
	return paths[0]
}

func TestVault_DamageIsNamed(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	v := openVault(t, dir, keys)
	if err := v.Set("a", []byte("value")); err != nil {
		t.Fatal(err)
	}
	path := sealedFile(t, dir)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		flipped := slices.Clone(good)
		flipped[i] ^= 1
		for what, text := range map[string][]byte{"flipped": flipped, "cut": good[:i]} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := v.Get("a"); !errors.Is(err, secret.ErrDamaged) && !errors.Is(err, secret.ErrVaultKey) {
				t.Fatalf("%s at %d: Get = %q, %v, want ErrDamaged", what, i, got, err)
			}
		}
	}
	if names, err := v.List(); len(names) != 0 || !errors.Is(err, secret.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("List = %q, %v, want ErrDamaged and the file's path", names, err)
	}
	if err := v.Set("a", []byte("again")); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get("a"); string(got) != "again" || err != nil {
		t.Errorf("Get after a new Set = %q, %v", got, err)
	}
}

func TestVault_FilesCannotBeSwapped(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	v := openVault(t, dir, keys)
	if err := v.Set("a", []byte("value of a")); err != nil {
		t.Fatal(err)
	}
	a := sealedFile(t, dir)
	text, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	if err := v.Set("b", []byte("value of b")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sealedFile(t, dir), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get("b"); !errors.Is(err, secret.ErrDamaged) {
		t.Errorf("Get = %q, %v, want ErrDamaged", got, err)
	}
}

func TestVault_KeyIsGone(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	if err := openVault(t, dir, keys).Set("a", []byte("value")); err != nil {
		t.Fatal(err)
	}
	other := openVault(t, dir, &secrettest.Memory{})
	if _, err := other.Get("a"); !errors.Is(err, secret.ErrVaultKey) {
		t.Errorf("Get without the key = %v, want ErrVaultKey", err)
	}
	if err := other.Set("b", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get("a"); !errors.Is(err, secret.ErrVaultKey) {
		t.Errorf("Get with another key = %v, want ErrVaultKey", err)
	}
	if names, err := other.List(); !slices.Equal(names, []string{"b"}) || !errors.Is(err, secret.ErrVaultKey) {
		t.Errorf("List = %q, %v, want b and ErrVaultKey", names, err)
	}
	if got, err := openVault(t, dir, keys).Get("a"); string(got) != "value" || err != nil {
		t.Errorf("Get with the first key = %q, %v", got, err)
	}
}

func TestVault_KeyringFails(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	v := openVault(t, dir, keys)
	if err := v.Set("a", []byte("value")); err != nil {
		t.Fatal(err)
	}
	keys.Fail(fmt.Errorf("%w: locked", secret.ErrUnavailable))
	if _, err := v.Get("never set"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("Get of none = %v, want ErrNotFound without the keyring", err)
	}
	if _, err := v.Get("a"); !errors.Is(err, secret.ErrUnavailable) {
		t.Errorf("Get = %v, want ErrUnavailable", err)
	}
	if err := v.Set("a", nil); !errors.Is(err, secret.ErrUnavailable) {
		t.Errorf("Set = %v, want ErrUnavailable", err)
	}
	keys.Fail(nil)
	if got, err := v.Get("a"); string(got) != "value" || err != nil {
		t.Errorf("Get afterwards = %q, %v, want the value kept", got, err)
	}
}

func TestVault_ManyWriters(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), &secrettest.Memory{}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			v := openVault(t, dir, keys) // as in a process of its own
			for range 5 {
				if err := v.Set("shared", []byte("value")); err != nil {
					t.Error(err)
				}
				if err := v.Set(fmt.Sprint(i), []byte("own")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	names, err := openVault(t, dir, keys).List()
	if len(names) != 17 || err != nil {
		t.Errorf("List = %q, %v, want 17 readable values under one key", names, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
