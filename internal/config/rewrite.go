package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
)

// ErrMoved is returned by [File.Rewrite] if the file is not the one that the
// caller read.
var ErrMoved = errors.New("the configuration file was changed meanwhile")

// Hash names the bytes of a file.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Text returns the bytes of the file; a missing one is what [Template] says,
// from which the first edit makes it.
func (f *File) Text() ([]byte, error) {
	data, err := read(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Template(), nil
	}
	return data, err
}

// Rewrite replaces the whole text by what change makes of it, provided that its
// [Hash] is the given one; else the error wraps [ErrMoved]. A text with faults is
// not written and they are returned.
func (f *File) Rewrite(hash string, change func(text []byte) ([]byte, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, err := f.Text()
	if err != nil {
		return err
	}
	if Hash(old) != hash {
		return ErrMoved
	}
	text, err := change(old)
	if err != nil {
		return err
	}
	if _, _, err := Parse(text); err != nil {
		return err
	}
	return writeFile(f.path, text)
}

// SetTops sets keys of the top level in one step. A nil value removes its key.
func (f *File) SetTops(fields []Field) error {
	return f.edit(func(e *editor) error {
		for _, field := range fields {
			if err := e.SetMember(e.Root(), field); err != nil {
				return err
			}
		}
		return nil
	})
}
