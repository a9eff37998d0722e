package config

import (
	"errors"
	"fmt"
	"sync"

	"mcpproxy/internal/atomicfile"
)

// File edits the configuration at a path in place. Each method reads the file,
// changes only the keys it names, checks the result as [Parse] does and replaces
// the file at once (temporary file, fsync, rename; 0600). A missing file is made
// from [Template]. A file with faults is left alone and its [Faults] returned;
// so is one that the edit would give a fault. Safe for concurrent use; an editor
// that writes between read and rename is not detected.
type File struct {
	path string
	mu   sync.Mutex
}

// NewFile returns a File for path, which need not exist.
func NewFile(path string) *File { return &File{path: path} }

// Path returns the path that NewFile was given.
func (f *File) Path() string { return f.path }

// AddServer appends a server with its fields in the given order. The error wraps
// [ErrExists] if there is one of that name.
func (f *File) AddServer(name string, fields []Field) error {
	return f.edit(func(e *editor) error { return e.add(name, fields) })
}

// UpdateServer sets the given fields of a server and leaves all others. A nil
// value removes the key. The error wraps [ErrNoServer] if there is none of that
// name.
func (f *File) UpdateServer(name string, fields []Field) error {
	for _, field := range fields {
		if field.Key == "name" {
			return fmt.Errorf("configuration: server %q: a name cannot be changed; remove the server and add it anew", name)
		}
	}
	return f.edit(func(e *editor) error { return e.update(name, fields) })
}

// RemoveServer takes a server out. The error wraps [ErrNoServer] if there is
// none of that name.
func (f *File) RemoveServer(name string) error {
	return f.edit(func(e *editor) error { return e.remove(name) })
}

// SetTop sets a key of the top level. A nil value removes it.
func (f *File) SetTop(key string, value any) error {
	return f.edit(func(e *editor) error { return e.SetMember(e.Root(), Field{Key: key, Value: value}) })
}

func (f *File) edit(change func(*editor) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := f.Text()
	if err != nil {
		return err
	}
	out, err := f.edited(data, change)
	if err != nil || string(out) == string(data) {
		return err
	}
	return writeFile(f.path, out)
}

// edited is what change makes of data, the text of the file.
func (f *File) edited(data []byte, change func(*editor) error) ([]byte, error) {
	if _, _, err := Parse(data); err != nil {
		return nil, fmt.Errorf("%s is not edited while it is faulty: %w", f.path, err)
	}
	e, err := newEditor(data)
	if err != nil {
		return nil, err
	}
	if err := change(e); err != nil {
		return nil, err
	}
	out := e.Bytes()
	if _, _, err := Parse(out); err != nil {
		return nil, e.refusal(err)
	}
	return out, nil
}

// writeFile replaces path, or the file that a symbolic link there leads to, by
// data. A file that its owner may not write is not replaced.
func writeFile(path string, data []byte) error {
	err := atomicfile.Write(path, data, 0o600)
	if errors.Is(err, atomicfile.ErrReadOnly) {
		return fmt.Errorf("%w: %s", ErrReadOnly, path)
	}
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}
