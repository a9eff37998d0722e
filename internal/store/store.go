// Package store keeps typed records in one bbolt file: the catalogue of tools,
// the approvals, and whatever else must survive a restart.
//
// A [DB] is the single writer of its file; a second process that opens it gets
// [ErrLocked] with the holder's pid. Every Put is on disk (fsync) before it
// returns. Values are JSON.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Errors when opening.
var (
	ErrLocked  = errors.New("data directory is in use by another mcpproxy")
	ErrDamaged = errors.New("database is damaged")
)

// ErrNotFound is returned by Get for a key that is not there.
var ErrNotFound = errors.New("not found")

const (
	fileName    = "mcpproxy.db"
	pidName     = "mcpproxy.pid"
	lockTimeout = time.Second
)

// LockedError is what [Open] returns when another process holds the data
// directory. It wraps [ErrLocked]. PID is 0 if the holder did not record it.
type LockedError struct {
	Dir string
	PID int
}

// Error names the holder and the way out.
func (e *LockedError) Error() string {
	holder := "its pid is not recorded"
	if e.PID != 0 {
		holder = "pid " + strconv.Itoa(e.PID)
	}
	return fmt.Sprintf("%v: %s (%s)\nhint: stop it, or give this one its own directory with --data-dir", ErrLocked, e.Dir, holder)
}

// Unwrap returns [ErrLocked].
func (e *LockedError) Unwrap() error { return ErrLocked }

// DB is an open database. Safe for concurrent use.
type DB struct {
	bolt *bolt.DB
	dir  string
}

// Open opens or makes the database of dir, which is made 0700 if missing. It
// waits at most one second for the file lock, then returns a [*LockedError]. A
// file that bbolt refuses returns an error wrapping [ErrDamaged].
func Open(dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := restrict(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	path := filepath.Join(dir, fileName)
	b, err := openBolt(path)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, &LockedError{Dir: dir, PID: Holder(dir)}
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("database: %w", err)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	pid := []byte(strconv.Itoa(os.Getpid()) + "\n")
	if err := os.WriteFile(filepath.Join(dir, pidName), pid, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory: %w", err), b.Close())
	}
	return &DB{bolt: b, dir: dir}, nil
}

// openBolt turns bbolt's panics on a damaged file into errors.
func openBolt(path string) (db *bolt.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("bbolt: %v", r)
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	db.MaxBatchDelay = 2 * time.Millisecond // a lone approval must not wait bbolt's 10 ms for company
	return db, restrict(path, 0o600)
}

// restrict takes away what mode does not allow; it never adds a permission.
func restrict(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^mode == 0 {
		return err
	}
	return os.Chmod(path, info.Mode().Perm()&mode)
}

// Holder returns the pid that last opened the database of dir, or 0.
func Holder(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, pidName))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// Close releases the lock. Buckets of a closed DB return errors.
func (db *DB) Close() error {
	_ = os.Remove(filepath.Join(db.dir, pidName))
	return db.bolt.Close()
}

// Bucket holds values of one type by key. Safe for concurrent use.
type Bucket[V any] struct {
	db   *DB
	name []byte
}

// OpenBucket returns the bucket name, made if missing.
func OpenBucket[V any](db *DB, name string) (Bucket[V], error) {
	b := Bucket[V]{db: db, name: []byte(name)}
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(b.name)
		return err
	})
	if err != nil {
		return b, fmt.Errorf("bucket %s: %w", name, err)
	}
	return b, nil
}

// Get returns the value of key, or an error wrapping [ErrNotFound]. A value
// that does not decode is an error naming bucket and key.
func (b Bucket[V]) Get(key string) (V, error) {
	var v V
	err := b.db.bolt.View(func(tx *bolt.Tx) error {
		data := tx.Bucket(b.name).Get([]byte(key))
		if data == nil {
			return fmt.Errorf("%s %q: %w", b.name, key, ErrNotFound)
		}
		return b.decode([]byte(key), data, &v)
	})
	return v, err
}

// Put stores one value; it is on disk when Put returns.
func (b Bucket[V]) Put(key string, v V) error { return b.Update(map[string]V{key: v}, nil) }

// Delete removes keys that are there; a missing key is no error.
func (b Bucket[V]) Delete(keys ...string) error { return b.Update(nil, keys) }

// Update deletes and then puts in one transaction: all of it is on disk when
// Update returns nil, none of it otherwise.
func (b Bucket[V]) Update(put map[string]V, remove []string) error {
	return b.db.Update(func(tx *Tx) error { return b.Stage(tx, put, remove) })
}

// Tx is a write transaction over several buckets.
type Tx struct{ tx *bolt.Tx }

// Update runs f in one write transaction. Concurrent calls share an fsync.
func (db *DB) Update(f func(*Tx) error) error {
	return db.bolt.Batch(func(tx *bolt.Tx) error { return f(&Tx{tx}) })
}

// Stage does what Update does as a part of tx. f of [DB.Update] may run more
// than once, so a caller must have no other effect.
func (b Bucket[V]) Stage(tx *Tx, put map[string]V, remove []string) error {
	bucket := tx.tx.Bucket(b.name)
	for _, key := range remove {
		if err := bucket.Delete([]byte(key)); err != nil {
			return fmt.Errorf("%s %q: %w", b.name, key, err)
		}
	}
	for key, v := range put {
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%s %q: %w", b.name, key, err)
		}
		if err := bucket.Put([]byte(key), data); err != nil {
			return fmt.Errorf("%s %q: %w", b.name, key, err)
		}
	}
	return nil
}

// All calls f for every value in key order until f returns an error, which All
// returns. A value that does not decode is passed as broken instead of v, so
// that one damaged record does not hide the others.
func (b Bucket[V]) All(f func(key string, v V, broken error) error) error {
	return b.db.bolt.View(func(tx *bolt.Tx) error {
		return tx.Bucket(b.name).ForEach(func(key, data []byte) error {
			var v V
			broken := b.decode(key, data, &v)
			return f(string(key), v, broken)
		})
	})
}

func (b Bucket[V]) decode(key, data []byte, v *V) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s %q: %w", b.name, key, err)
	}
	return nil
}
