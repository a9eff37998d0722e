package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Restore makes the buckets whose names begin with prefix hold exactly records,
// and empties the buckets of empty, in one transaction.
func (db *DB) Restore(prefix string, records []Record, empty ...string) error {
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		gone := make([][]byte, 0, len(empty))
		for _, name := range empty {
			gone = append(gone, []byte(name))
		}
		err := tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			if strings.HasPrefix(string(name), prefix) {
				gone = append(gone, []byte(string(name)))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range gone {
			if err := clearBucket(tx, name); err != nil {
				return err
			}
		}
		for _, r := range records {
			if !strings.HasPrefix(r.Bucket, prefix) {
				return fmt.Errorf("restore: record of bucket %q: %w", r.Bucket, ErrBackup)
			}
			bucket, err := tx.CreateBucketIfNotExists([]byte(r.Bucket))
			if err != nil {
				return err
			}
			if err := bucket.Put(r.Key, r.Value); err != nil {
				return err
			}
		}
		return nil
	})
	return named(err)
}

// clearBucket empties a bucket that is there; it stays, because others hold it
// open.
func clearBucket(tx *bolt.Tx, name []byte) error {
	if tx.Bucket(name) == nil {
		return nil
	}
	if err := tx.DeleteBucket(name); err != nil {
		return err
	}
	_, err := tx.CreateBucket(name)
	return err
}

// Missing reports whether the data directory dir has no database, or an empty
// file in its place.
func Missing(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, fileName))
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// Supplant puts a new database, which fill filled, in the place of a damaged or
// missing one, at once: a crash leaves the old one or the new one. The damaged
// file is kept under the name that it returns, "" if there was none. A sound
// database is left alone, and fill is not called. The caller opens dir
// afterwards.
func Supplant(dir string, fill func(db *DB, kept string) error) (kept string, err error) {
	path := filepath.Join(dir, fileName)
	if !Missing(dir) {
		if err := checkFile(path); err == nil {
			return "", nil
		}
		if kept, err = setAside(path); err != nil {
			return "", fmt.Errorf("database: %w", named(err))
		}
	}
	scratch, err := os.MkdirTemp(dir, "new-store-*")
	if err != nil {
		return kept, fmt.Errorf("database: %w", named(err))
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	db, err := Open(scratch)
	if err != nil {
		return kept, err
	}
	if err := errors.Join(fill(db, kept), db.Close()); err != nil {
		return kept, err
	}
	if err := os.Rename(filepath.Join(scratch, fileName), path); err != nil {
		return kept, fmt.Errorf("database: %w", named(err))
	}
	return kept, syncDir(dir)
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

// syncDir makes names in dir durable, where a system can.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}
