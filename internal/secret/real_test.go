package secret_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"mcpproxy/internal/secret"
	"mcpproxy/internal/secret/secrettest"
)

// inSession runs one of the tests named TestInSession in a D-Bus session, whose
// address a process learns at its start.
func inSession(t *testing.T, s *secrettest.Session, name string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestInSession$/^"+name+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(s.Env, "SECRET_TEST_SESSION=1")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestInSession/"+name)) {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

func TestKeyring_Real(t *testing.T) {
	t.Parallel()
	secrettest.NeedKeyring(t)
	home := t.TempDir()
	t.Run("unlocked", func(t *testing.T) {
		s := secrettest.Begin(t, home).Unlock(t, "password")
		inSession(t, s, "RoundTrip")
		store := exec.Command("secret-tool", "store", "--label=x", "service", "mcpproxy", "username", "by_tool")
		store.Env, store.Stdin = s.Env, strings.NewReader("set elsewhere")
		if out, err := store.CombinedOutput(); err != nil {
			t.Fatalf("secret-tool: %v\n%s", err, out)
		}
		inSession(t, s, "Foreign")
		inSession(t, s, "Vault")
		look := exec.Command("secret-tool", "lookup", "service", "mcpproxy", "username", "kept")
		look.Env = s.Env
		if out, err := look.Output(); string(out) != "ünï\ncode" || err != nil {
			t.Errorf("an independent reader finds %q, %v", out, err)
		}
	})
	t.Run("wrong password", func(t *testing.T) { inSession(t, secrettest.Begin(t, home).Unlock(t, "wrong"), "Locked") })
	t.Run("never unlocked", func(t *testing.T) { inSession(t, secrettest.Begin(t, home).Lock(t), "Locked") })
	t.Run("absent", func(t *testing.T) { inSession(t, secrettest.Begin(t, t.TempDir()), "Absent") })
	t.Run("no keyring in it", func(t *testing.T) { inSession(t, secrettest.Begin(t, t.TempDir()).Lock(t), "Empty") })
	t.Run("hanging", func(t *testing.T) { inSession(t, secrettest.Begin(t, t.TempDir()).Hang(t), "Hanging") })
	t.Run("unlocked again", func(t *testing.T) {
		inSession(t, secrettest.Begin(t, home).Unlock(t, "password"), "Survived")
	})
}

// TestInSession is what inSession runs, in a process of its own.
func TestInSession(t *testing.T) {
	if os.Getenv("SECRET_TEST_SESSION") == "" {
		t.Skip("run by TestKeyring_Real")
	}
	s := secret.Keyring{LockFile: filepath.Join(os.Getenv("HOME"), "keyring.lock")}
	for name, test := range map[string]func(*testing.T, secret.Store){
		"RoundTrip": testRoundTrip, "Foreign": testForeign, "Vault": testVault, "Locked": testLocked,
		"Absent": testAbsent, "Empty": testEmpty, "Hanging": testHanging, "Survived": testSurvived,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func testRoundTrip(t *testing.T, s secret.Store) {
	if names, err := s.List(); len(names) != 0 || err != nil {
		t.Fatalf("List = %q, %v, want none", names, err)
	}
	for name, value := range map[string]string{"gone": "v", "kept": "ünï\ncode", "large": strings.Repeat("x", 20<<10)} {
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(name); got != value || err != nil {
			t.Errorf("Get(%s) = %d bytes, %v", name, len(got), err)
		}
	}
	if err := s.Delete("gone"); err != nil {
		t.Error(err)
	}
	if err := s.Delete("gone"); !errors.Is(err, secret.ErrNotFound) {
		t.Errorf("second Delete = %v, want ErrNotFound", err)
	}
	if names, err := s.List(); !slices.Equal(names, []string{"kept", "large"}) || err != nil {
		t.Errorf("List = %q, %v", names, err)
	}
}

func testForeign(t *testing.T, s secret.Store) {
	if names, err := s.List(); !slices.Equal(names, []string{"by_tool", "kept", "large"}) || err != nil {
		t.Errorf("List = %q, %v, want what secret-tool stored too", names, err)
	}
	if got, err := s.Get("by_tool"); got != "set elsewhere" || err != nil {
		t.Errorf("Get = %q, %v", got, err)
	}
	if err := keyring.Set("mcpproxy", "__mcpproxy_index__", "{"); err != nil {
		t.Fatal(err)
	}
	if names, err := s.List(); len(names) != 3 || err != nil {
		t.Errorf("List with a damaged index = %q, %v, want what the search finds", names, err)
	}
}

func testVault(t *testing.T, s secret.Store) {
	v := openVault(t, t.TempDir(), s)
	want := make([]byte, 20<<10)
	_, _ = rand.Read(want)
	if err := v.Set("tokens", want); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get("tokens"); !bytes.Equal(got, want) || err != nil {
		t.Errorf("Get = %d bytes, %v", len(got), err)
	}
	if names, err := s.List(); len(names) != 3 || err != nil {
		t.Errorf("List = %q, %v, want the vault's key hidden", names, err)
	}
}

func testSurvived(t *testing.T, s secret.Store) {
	if got, err := s.Get("kept"); got != "ünï\ncode" || err != nil {
		t.Errorf("Get in a later session = %q, %v", got, err)
	}
}

// refuses checks that nothing works, for a reason that is named, within the time.
func refuses(t *testing.T, s secret.Store, within time.Duration, kinds []error, words string) {
	t.Helper()
	for what, do := range map[string]func() error{
		"Get":    func() error { _, err := s.Get("kept"); return err },
		"Set":    func() error { return s.Set("k", "CANARY") },
		"List":   func() error { _, err := s.List(); return err },
		"Delete": func() error { return s.Delete("kept") },
	} {
		began := time.Now()
		err := do()
		for _, kind := range kinds {
			if !errors.Is(err, kind) {
				t.Errorf("%s = %v, want %v", what, err, kind)
			}
		}
		if took := time.Since(began); took > within || !strings.Contains(fmt.Sprint(err), words) || strings.Contains(fmt.Sprint(err), "CANARY") {
			t.Errorf("%s = %v after %s, want %q within %s", what, err, took, words, within)
		}
	}
}

func testLocked(t *testing.T, s secret.Store) {
	refuses(t, s, 3*time.Second, []error{secret.ErrUnavailable, secret.ErrLocked}, "hint: unlock the login keyring")
}

func testAbsent(t *testing.T, s secret.Store) {
	refuses(t, s, 3*time.Second, []error{secret.ErrUnavailable}, "no keyring service is running")
}

func testEmpty(t *testing.T, s secret.Store) {
	refuses(t, s, 3*time.Second, []error{secret.ErrUnavailable}, "no default keyring")
}

func testHanging(t *testing.T, s secret.Store) {
	refuses(t, s, 6500*time.Millisecond, []error{secret.ErrUnavailable}, "hint: ")
}
