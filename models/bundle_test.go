package models

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestDefault_IsWhatItsManifestSays(t *testing.T) {
	t.Parallel()
	m := bundledModel(t)
	if err := m.Verify(); err != nil {
		t.Fatal(err)
	}
	if m.Name == "" || m.Dim <= 0 || len(m.Files) != 3 {
		t.Errorf("Default() = %+v, want a name, a dimension and three files", m.Manifest)
	}
}

func TestModel_Materialize_WritesOnce(t *testing.T) {
	t.Parallel()
	m, dir := bundledModel(t), t.TempDir()
	path := materialize(t, m, dir)
	before, err := os.Stat(filepath.Join(path, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if again := materialize(t, m, dir); again != path {
		t.Errorf("second Materialize = %q, want %q", again, path)
	}
	after, err := os.Stat(filepath.Join(path, "model.onnx"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("model.onnx was written again (err %v)", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%d entries left in the folder, want 1 (err %v)", len(left), err)
	}
}

func TestModel_Materialize_ReplacesDamaged(t *testing.T) {
	t.Parallel()
	damage := map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(filepath.Join(path, "model.onnx"), 100) },
		"missing":   func(path string) error { return os.Remove(filepath.Join(path, "tokenizer.json")) },
		"manifest":  func(path string) error { return os.WriteFile(filepath.Join(path, ManifestName), []byte("{}"), 0o600) },
	}
	for name, break_ := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, dir := bundledModel(t), t.TempDir()
			if err := break_(materialize(t, m, dir)); err != nil {
				t.Fatal(err)
			}
			if !m.matches(materialize(t, m, dir)) {
				t.Error("the damaged folder was kept")
			}
		})
	}
}

func TestModel_Materialize_Concurrently(t *testing.T) {
	t.Parallel()
	m, dir := bundledModel(t), t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if path, err := m.Materialize(dir); err != nil || !m.matches(path) {
				t.Errorf("Materialize = %q, %v", path, err)
			}
		})
	}
	wg.Wait()
}

func TestModel_Verify_NamesTheDamage(t *testing.T) {
	t.Parallel()
	path := materialize(t, bundledModel(t), t.TempDir())
	if err := os.WriteFile(filepath.Join(path, "config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); !errors.Is(err, ErrDigest) {
		t.Errorf("Verify() = %v, want ErrDigest", err)
	}
}

func TestOpen_RefusesForeignManifests(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"no JSON":        `{`,
		"path":           `{"name":"x","dim":1,"digest":"","files":{"../x":"00"}}`,
		"folder":         `{"name":"x","dim":1,"digest":"","files":{"a/b":"00"}}`,
		"digest differs": `{"name":"x","dim":1,"digest":"00","files":{"a":"00"}}`,
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); err == nil {
				t.Error("Open accepted it")
			}
		})
	}
}

func bundledModel(t *testing.T) Model {
	t.Helper()
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func materialize(t *testing.T, m Model, dir string) string {
	t.Helper()
	path, err := m.Materialize(dir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
