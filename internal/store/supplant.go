package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Missing reports whether the data directory dir has no database, or an empty
// file in its place.
func Missing(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, fileName))
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// Supplant puts a new database, which fill filled, in the place of a damaged or
// missing one, at once: a crash leaves the old one or the new one. The damaged
// file is kept under the name that it returns, "" if there was none. A sound
// database is left alone, and fill is not called. One that another program has
// open is no damaged one: that is a [*LockedError]. The caller opens dir
// afterwards.
func Supplant(dir string, fill func(db *DB, kept string) error) (kept string, err error) {
	turn, err := takeTurn(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	path := filepath.Join(dir, fileName)
	if !Missing(dir) {
		err := checkFile(path)
		if err == nil {
			return "", nil
		}
		if err = unopened(dir, err); !errors.Is(err, ErrDamaged) {
			return "", err
		}
		if kept, err = setAside(path); err != nil {
			return "", fmt.Errorf("database: %w", named(err))
		}
	}
	return kept, replace(dir, kept, fill)
}

// turnName is a file that whoever supplants a database has locked: two programs
// that start on the same damaged one must not put theirs over each other's.
const turnName = "new-store.lock"

// takeTurn returns a [*LockedError] while another program has the turn. Closing
// the file ends it, and so does the end of the process.
func takeTurn(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, turnName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, directory(err)
	}
	taken, err := lockFile(f)
	switch {
	case err != nil:
		return nil, errors.Join(directory(err), f.Close())
	case !taken:
		return nil, errors.Join(&LockedError{Dir: dir, PID: Holder(dir)}, f.Close())
	}
	return f, nil
}

// replace makes the new database aside and moves it to its place.
func replace(dir, kept string, fill func(db *DB, kept string) error) error {
	stale, _ := beginning(dir, "new-store-") // of a process that was killed
	for _, s := range stale {
		_ = os.RemoveAll(s)
	}
	scratch, err := os.MkdirTemp(dir, "new-store-*")
	if err != nil {
		return fmt.Errorf("database: %w", named(err))
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	db, err := Open(scratch)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(db, kept), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(scratch, fileName), filepath.Join(dir, fileName)); err != nil {
		return fmt.Errorf("database: %w", named(err))
	}
	return syncDir(dir)
}

// setAside gives the file a second name, which no earlier one has.
func setAside(path string) (kept string, err error) {
	for i := 1; ; i++ {
		kept = fmt.Sprintf("%s.damaged-%d", path, i)
		err := os.Link(path, kept)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			if err != nil { // a file system without links
				err = copyFile(path, kept)
			}
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			return kept, err
		}
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
