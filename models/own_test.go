package models

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func dim32(string) (int, error) { return 32, nil }

// layout writes the files of a model as far as they are named.
func layout(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("content of "+filepath.Base(file)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAdd_ThenOwn(t *testing.T) {
	t.Parallel()
	for _, onnx := range []string{"model.onnx", "onnx/model.onnx"} {
		t.Run(onnx, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "models")
			added, err := Add(root, "mini", layout(t, onnx, "tokenizer.json", "config.json", "README.md"), dim32)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Own(root, "mini")
			if err != nil || m.Digest != added.Digest || m.Dim != 32 || m.Name != "mini" || len(m.Files) != 3 || m.Size() == 0 {
				t.Fatalf("Own = %+v, %v", m.Manifest, err)
			}
			if err := m.Verify(); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(filepath.Join(root, "mini", "model.onnx")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
				t.Errorf("model.onnx: %v, %v", info, err)
			}
			if names, err := OwnNames(root); err != nil || !slices.Equal(names, []string{"mini"}) {
				t.Errorf("OwnNames = %q, %v", names, err)
			}
			if _, err := Add(root, "mini", layout(t, onnx, "tokenizer.json", "config.json"), dim32); !errors.Is(err, ErrExists) {
				t.Errorf("a second Add = %v, want ErrExists", err)
			}
			if err := errors.Join(Remove(root, "mini")); err != nil {
				t.Error(err)
			}
			if _, err := Own(root, "mini"); !errors.Is(err, ErrNoModel) {
				t.Errorf("Own of a removed one = %v, want ErrNoModel", err)
			}
			if err := Remove(root, "mini"); !errors.Is(err, ErrNoModel) {
				t.Errorf("a second Remove = %v, want ErrNoModel", err)
			}
		})
	}
}

func TestAdd_LeavesNothingBehindIfRefused(t *testing.T) {
	t.Parallel()
	broken := errors.New("cannot load")
	cases := map[string]struct {
		name  string
		files []string
		check func(string) (int, error)
		want  error
	}{
		"no model":     {"mini", []string{"tokenizer.json", "config.json"}, dim32, ErrFiles},
		"no tokenizer": {"mini", []string{"model.onnx", "config.json"}, dim32, ErrFiles},
		"no config":    {"mini", []string{"model.onnx", "tokenizer.json"}, dim32, ErrFiles},
		"folder":       {"mini", []string{"model.onnx/x", "tokenizer.json", "config.json"}, dim32, ErrFiles},
		"path":         {"../mini", nil, dim32, ErrName},
		"hidden":       {".mini", nil, dim32, ErrName},
		"empty":        {"", nil, dim32, ErrName},
		"does not load": {"mini", []string{"model.onnx", "tokenizer.json", "config.json"},
			func(string) (int, error) { return 0, broken }, broken},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			if _, err := Add(root, c.name, layout(t, c.files...), c.check); !errors.Is(err, c.want) {
				t.Errorf("Add = %v, want %v", err, c.want)
			}
			if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestOwn_VerifyFindsTampering(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	m, err := Add(root, "mini", layout(t, "model.onnx", "tokenizer.json", "config.json"), dim32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "mini", "model.onnx"), []byte("other weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(); !errors.Is(err, ErrDigest) {
		t.Errorf("Verify = %v, want ErrDigest", err)
	}
}
