// Package atomicfile replaces files that people own: a reader sees the old text
// or the new one, never half of it, also after a power cut.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrReadOnly is wrapped if the owner of a file may not write it: a person made
// it so.
var ErrReadOnly = errors.New("the file is read-only")

// Write replaces path, or the file that a symbolic link there leads to, by data
// with the permissions mode: temporary file beside it, fsync, rename. Missing
// folders are made 0700. The error wraps [ErrReadOnly] if the file is not
// writable by its owner.
func Write(path string, data []byte, mode fs.FileMode) error {
	target, err := resolve(path)
	if err != nil {
		return err
	}
	if info, err := os.Stat(target); err == nil && info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%w: %s", ErrReadOnly, target)
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(target)+"-*.tmp") // made 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil && mode != 0o600 {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if d, err := os.Open(dir); err == nil { // the rename itself; best effort, as not every system can
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// resolve follows symbolic links, also one whose target is missing.
func resolve(path string) (string, error) {
	for range 40 {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", &fs.PathError{Op: "readlink", Path: path, Err: errors.New("too many symbolic links")}
}
