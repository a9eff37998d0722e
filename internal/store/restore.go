package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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
