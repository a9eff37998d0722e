package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Errors of a person's own models.
var (
	ErrName    = errors.New("a model's name is letters, digits, dot, dash and underscore, at most 64, and starts with a letter or digit")
	ErrExists  = errors.New("there is a model of that name already")
	ErrNoModel = errors.New("no such model")
	ErrFiles   = errors.New("not a model in the Hugging Face layout")
)

// maxFile bounds one file of a model that is added.
const maxFile = 2 << 30

// parts are the files of a model, with the other places where the Hugging Face
// layout may keep them.
var parts = map[string][]string{
	"model.onnx":     {"model.onnx", "onnx/model.onnx"},
	"tokenizer.json": {"tokenizer.json"},
	"config.json":    {"config.json"},
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckName returns an error wrapping [ErrName] if a model cannot be called s.
func CheckName(s string) error {
	if !name.MatchString(s) || strings.HasSuffix(s, ".") || s == "none" { // Windows drops a last dot; "none" means no model
		return fmt.Errorf("%q: %w", s, ErrName)
	}
	return nil
}

// Own returns the model called name in root, where Add put it. The error wraps
// [ErrNoModel] if there is none.
func Own(root, name string) (Model, error) {
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	m, err := Open(filepath.Join(root, name))
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(filepath.Join(root, name)); gone != nil {
			return Model{}, fmt.Errorf("%q: %w", name, ErrNoModel)
		}
	}
	m.Name = name // the folder's, should a person have renamed it
	return m, err
}

// OwnNames returns the names of all models in root, sorted. A root that is not
// there has none.
func OwnNames(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && CheckName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Add copies the model of folder from to root (0700, files 0600), where it is
// called name. check loads the copy and returns the length of its vectors; then
// the manifest is written and the copy appears under its name, whole or not at
// all. Errors wrap [ErrName], [ErrExists] or [ErrFiles], or are check's.
func Add(root, name, from string, check func(dir string) (dim int, err error)) (Model, error) {
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	path := filepath.Join(root, name)
	if _, err := os.Lstat(path); err == nil {
		return Model{}, fmt.Errorf("%q: %w", name, ErrExists)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return Model{}, fmt.Errorf("models: %w", err)
	}
	temp, err := os.MkdirTemp(root, ".add-") // made 0700
	if err != nil {
		return Model{}, fmt.Errorf("models: %w", err)
	}
	defer os.RemoveAll(temp)
	manifest := Manifest{Info: Info{Name: name}, Files: make(map[string]string, len(parts))}
	for file, places := range parts {
		if manifest.Files[file], err = take(filepath.Join(temp, file), from, places); err != nil {
			return Model{}, err
		}
	}
	manifest.Digest = digestOf(manifest.Files)
	if manifest.Dim, err = check(temp); err != nil {
		return Model{}, err
	}
	if err := writeManifest(temp, manifest); err != nil {
		return Model{}, fmt.Errorf("models: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		if _, there := os.Lstat(path); there == nil {
			return Model{}, fmt.Errorf("%q: %w", name, ErrExists)
		}
		return Model{}, fmt.Errorf("models: %w", err)
	}
	return Own(root, name)
}

// take copies the first of places in from to target and returns its digest.
func take(target, from string, places []string) (string, error) {
	for _, place := range places {
		in, err := os.Open(filepath.Join(from, filepath.FromSlash(place)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("models: %w", err)
		}
		defer in.Close()
		info, err := in.Stat()
		switch {
		case err != nil:
			return "", fmt.Errorf("models: %w", err)
		case !info.Mode().IsRegular():
			return "", fmt.Errorf("%w: %s is not a file", ErrFiles, place)
		case info.Size() > maxFile:
			return "", fmt.Errorf("%w: %s is larger than %d GiB", ErrFiles, place, maxFile>>30)
		}
		return copyHashed(target, in)
	}
	return "", fmt.Errorf("%w: %s has no %s", ErrFiles, from, places[0])
}

func writeManifest(dir string, m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	_, err = copyHashed(filepath.Join(dir, ManifestName), strings.NewReader(string(text)+"\n"))
	return err
}

// copyHashed writes a new file (0600) and returns the SHA-256 of what it wrote.
func copyHashed(path string, from io.Reader) (string, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), from)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Sync(), f.Close())
}

// Remove deletes the model called name from root. The error wraps [ErrNoModel]
// if there is none.
func Remove(root, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	path := filepath.Join(root, name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q: %w", name, ErrNoModel)
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("models: %w", err)
	}
	return nil
}

// Size returns the bytes of the model's files.
func (m Model) Size() int64 {
	var size int64
	for file := range m.Files {
		if info, err := fs.Stat(m.files, file); err == nil {
			size += info.Size()
		}
	}
	return size
}
