package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Materialize returns a folder below dir, named after the model's digest, that
// holds the model's files, written there the first time. Files already there are
// verified; a damaged folder is replaced. Safe for several processes at once.
func (m Model) Materialize(dir string) (string, error) {
	path := filepath.Join(dir, m.Digest[:16])
	if m.matches(path) {
		return path, nil
	}
	if err := m.Verify(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("model %q: %w", m.Name, err)
	}
	temp, err := os.MkdirTemp(dir, ".model-")
	if err != nil {
		return "", fmt.Errorf("model %q: %w", m.Name, err)
	}
	defer os.RemoveAll(temp)
	if err := m.writeTo(temp); err != nil {
		return "", fmt.Errorf("model %q: %w", m.Name, err)
	}
	return path, m.install(temp, path)
}

// matches reports whether path holds exactly this model.
func (m Model) matches(path string) bool {
	there, err := Open(path)
	return err == nil && there.Digest == m.Digest && there.Verify() == nil
}

func (m Model) writeTo(dir string) error {
	if err := m.copyFile(dir, ManifestName); err != nil {
		return err
	}
	for name := range m.Files {
		if err := m.copyFile(dir, name); err != nil {
			return err
		}
	}
	return nil
}

func (m Model) copyFile(dir, name string) error {
	data, err := fs.ReadFile(m.files, name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// install moves temp to path. Another process may have been faster, which is as
// good; what is there but damaged gives way.
func (m Model) install(temp, path string) error {
	if os.Rename(temp, path) == nil || m.matches(path) {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("model %q: %w", m.Name, err)
	}
	if err := os.Rename(temp, path); err != nil && !m.matches(path) {
		return fmt.Errorf("model %q: %w", m.Name, err)
	}
	return nil
}
