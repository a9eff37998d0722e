package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	fileName    = "mcpproxy.db"
	pidName     = "mcpproxy.pid"
	lockTimeout = time.Second
)

// Open opens or makes the database of dir, which is made 0700 if missing. It
// waits at most one second for the file lock, then returns a [*LockedError]. A
// file that bbolt refuses or whose pages are not sound returns an error
// wrapping [ErrDamaged]; nothing is written to it.
func Open(dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, directory(err)
	}
	if err := restrict(dir, 0o700); err != nil {
		return nil, directory(err)
	}
	path := filepath.Join(dir, fileName)
	b, err := openBolt(path)
	if err != nil {
		return nil, unopened(dir, err)
	}
	pid := []byte(strconv.Itoa(os.Getpid()) + "\n")
	if err := writePID(filepath.Join(dir, pidName), pid); err != nil {
		return nil, errors.Join(directory(err), b.Close())
	}
	return &DB{bolt: b, dir: dir}, nil
}

// unopened says what an error of opening the database of dir means: another
// program has it, the system refuses it, or what is in it is damaged.
func unopened(dir string, err error) error {
	var system syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &LockedError{Dir: dir, PID: Holder(dir)}
	case errors.As(err, &system):
		return directory(err)
	}
	return fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Join(dir, fileName), err)
}

// directory says what to do about a data directory that cannot be used.
func directory(err error) error {
	err = named(err)
	switch {
	case errors.Is(err, ErrReadOnly):
		return fmt.Errorf("%w\nhint: it and its files must be yours and writable; or choose another one with --data-dir", err)
	case errors.Is(err, ErrFull):
		return fmt.Errorf("%w\nhint: free some space, or choose another one with --data-dir", err)
	}
	return fmt.Errorf("data directory: %w", err)
}

// openBolt opens the file once its structure is known to be sound: bbolt panics
// on much of what is not, and keeps the lock then.
func openBolt(path string) (db *bolt.DB, err error) {
	if err := restrict(path, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := checkFile(path); err != nil {
		return nil, err
	}
	err = guard(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType})
		return err
	})
	if err != nil {
		return nil, err
	}
	db.MaxBatchDelay = 2 * time.Millisecond // a lone approval must not wait bbolt's 10 ms for company
	return db, nil
}

// checkFile verifies a file that is there, under the lock that readers share.
func checkFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil || info.Size() == 0:
		return err
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	return guard(func() error {
		db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, ReadOnly: true})
		if err != nil {
			return err
		}
		return errors.Join(verify(db, file), db.Close())
	})
}

// guard turns bbolt's panics on a damaged file into errors, and so the faults
// of page numbers that lead out of the file.
func guard(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return f()
}

// restrict takes away what mode does not allow; it never adds a permission.
func restrict(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^mode == 0 {
		return err
	}
	return os.Chmod(path, info.Mode().Perm()&mode)
}

// writePID replaces the file by a new one: what an earlier instance left may
// have another mode or be a link.
func writePID(path string, pid []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, pid, 0o600)
}

// Holder returns the pid that last opened the database of dir, or 0.
func Holder(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, pidName))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
