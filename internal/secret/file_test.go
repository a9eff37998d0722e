package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcpproxy/internal/secret"
)

// openFile opens the encrypted file in dir; passphrase "" asks nobody.
func openFile(t *testing.T, dir, passphrase string) secret.Store {
	t.Helper()
	opt := secret.Options{Backend: secret.BackendFile, Dir: dir}
	if passphrase != "" {
		opt.Ask = func(bool) (string, error) { return passphrase, nil }
	}
	s, err := secret.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openFile(t, dir, "correct horse")
	if names, err := openFile(t, dir, "").List(); len(names) != 0 || err != nil {
		t.Fatalf("List before the first Set = %q, %v, want none without a passphrase", names, err)
	}
	big := strings.Repeat("VALUE-CANARY ", 2000)
	for name, value := range map[string]string{"NAME-CANARY": big, "b": "ünï\ncode", "__mcpproxy_vault__": "key"} {
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
		if got, err := openFile(t, dir, "correct horse").Get(name); got != value || err != nil {
			t.Errorf("Get(%s) in another process = %d bytes, %v", name, len(got), err)
		}
	}
	if names, err := s.List(); err != nil || !slices.Equal(names, []string{"NAME-CANARY", "b"}) {
		t.Errorf("List = %q, %v", names, err)
	}
	if err := s.Delete("b"); err != nil {
		t.Error(err)
	}
	if err := s.Delete("b"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("second Delete = %v, want ErrNotFound", err)
	}
	if _, err := s.Get("b"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("Get of a deleted one = %v, want ErrNotFound", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil || bytes.Contains(text, []byte("CANARY")) || bytes.Contains(text, []byte("AGE-SECRET-KEY")) {
			t.Errorf("%s: %v, want nothing in clear", f.Name(), err)
		}
		if info, err := f.Info(); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
}

func TestFile_Passphrase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := openFile(t, dir, "").Set("a", "CANARY"); !errors.Is(err, secret.ErrPassphrase) || !strings.Contains(err.Error(), secret.PassphraseEnv) {
		t.Errorf("Set without a passphrase = %v, want ErrPassphrase and the cure", err)
	}
	if err := openFile(t, dir, "right").Set("a", "CANARY"); err != nil {
		t.Fatal(err)
	}
	for passphrase, want := range map[string]string{"": secret.PassphraseEnv, "wrong": "wrong"} {
		s := openFile(t, dir, passphrase)
		_, err := s.Get("a")
		if !errors.Is(err, secret.ErrPassphrase) || !strings.Contains(err.Error(), want) {
			t.Errorf("Get with %q = %v, want ErrPassphrase and %q", passphrase, err, want)
		}
		if err := s.Set("a", "x"); !errors.Is(err, secret.ErrPassphrase) {
			t.Errorf("Set with %q = %v, want ErrPassphrase", passphrase, err)
		}
		if _, err := s.List(); !errors.Is(err, secret.ErrPassphrase) {
			t.Errorf("List with %q = %v, want ErrPassphrase, never an empty list", passphrase, err)
		}
	}
	if got, err := openFile(t, dir, "right").Get("a"); got != "CANARY" || err != nil {
		t.Errorf("Get = %q, %v, want the value untouched", got, err)
	}
}

func TestFile_Ready(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := openFile(t, dir, "").Ready(); err != nil {
		t.Errorf("Ready before the first Set = %v, want nil without a passphrase", err)
	}
	if err := openFile(t, dir, "right").Set("a", "b"); err != nil {
		t.Fatal(err)
	}
	for passphrase, want := range map[string]error{"right": nil, "wrong": secret.ErrPassphrase, "": secret.ErrPassphrase} {
		if err := openFile(t, dir, passphrase).Ready(); !errors.Is(err, want) {
			t.Errorf("Ready with %q = %v, want %v", passphrase, err, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*probe*"))
	if err != nil || len(left) > 0 {
		t.Errorf("Ready left %q behind (%v)", left, err)
	}
	blocked := filepath.Join(dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openFile(t, filepath.Join(blocked, "secrets"), "right").Ready(); err == nil {
		t.Error("Ready below a file = nil, want an error")
	}
}

func TestFile_Damage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := openFile(t, dir, "p").Set("a", "value"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"secrets.age", "secrets-key.age"} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string][]byte{"cut": good[:len(good)-1], "empty": {}, "other": []byte("{}")} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			s := openFile(t, dir, "p")
			if _, err := s.Get("a"); !errors.Is(err, secret.ErrDamaged) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: Get = %v, want ErrDamaged and its name", what, name, err)
			}
			if err := s.Set("b", "x"); !errors.Is(err, secret.ErrDamaged) {
				t.Errorf("%s %s: Set = %v, want ErrDamaged rather than a loss", what, name, err)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := openFile(t, dir, "p").Set("b", "x"); name == "secrets-key.age" && !errors.Is(err, secret.ErrDamaged) {
			t.Errorf("Set without the key file = %v, want ErrDamaged", err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := openFile(t, dir, "p").Get("a"); got != "value" || err != nil {
		t.Errorf("Get = %q, %v", got, err)
	}
}

func TestFile_ManyWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for name := range strings.SplitSeq("abcdefgh", "") {
		wg.Go(func() {
			if err := openFile(t, dir, "p").Set(name, name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if names, err := openFile(t, dir, "p").List(); len(names) != 8 || err != nil {
		t.Errorf("List = %q, %v, want all 8", names, err)
	}
}
