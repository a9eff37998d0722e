package models

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// ErrDigest is wrapped by every error about a file that is not what its
// manifest says.
var ErrDigest = errors.New("digest differs from the manifest")

// ManifestName is the file that names a model and the digests of its other files.
const ManifestName = "manifest.json"

//go:embed default
var bundled embed.FS

// Manifest is what ManifestName holds. Info.Digest is the SHA-256 over the lines
// "digest  name\n" of Files in the order of their names.
type Manifest struct {
	Info
	Files map[string]string `json:"files"` // name -> SHA-256 in hex
}

// Model is a manifest with the place where its files are. The zero value is of
// no use; see Default and Open.
type Model struct {
	Manifest
	files fs.FS
}

// Default returns the model that is part of the program.
func Default() (Model, error) {
	files, err := fs.Sub(bundled, "default")
	if err != nil {
		return Model{}, fmt.Errorf("bundled model: %w", err)
	}
	return open(files)
}

// Open returns the model in dir, which holds a manifest. It does not read the
// other files; see Verify.
func Open(dir string) (Model, error) { return open(os.DirFS(dir)) }

func open(files fs.FS) (Model, error) {
	text, err := fs.ReadFile(files, ManifestName)
	if err != nil {
		return Model{}, fmt.Errorf("model: %w", err)
	}
	m := Model{files: files}
	if err := json.Unmarshal(text, &m.Manifest); err != nil {
		return Model{}, fmt.Errorf("model: %s: %w", ManifestName, err)
	}
	for name := range m.Files {
		if !fs.ValidPath(name) || filepath.Base(name) != name || name == ManifestName {
			return Model{}, fmt.Errorf("model: %s: %q is no file name", ManifestName, name)
		}
	}
	if got := digestOf(m.Files); got != m.Digest {
		return Model{}, fmt.Errorf("model %q: %s: %w", m.Name, ManifestName, ErrDigest)
	}
	return m, nil
}

// Verify reads every file and returns an error wrapping ErrDigest for the first
// one that differs from the manifest.
func (m Model) Verify() error {
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if err := verify(m.files, name, m.Files[name]); err != nil {
			return fmt.Errorf("model %q: %w", m.Name, err)
		}
	}
	return nil
}

func verify(files fs.FS, name, want string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return fmt.Errorf("%s: %w", name, ErrDigest)
	}
	return nil
}

func digestOf(files map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s  %s\n", files[name], name)
	}
	return hex.EncodeToString(h.Sum(nil))
}
