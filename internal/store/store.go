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
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
)

// Errors when opening.
var (
	ErrLocked  = errors.New("data directory is in use by another mcpproxy")
	ErrDamaged = errors.New("database is damaged")
)

// ErrNotFound is returned by Get for a key that is not there.
var ErrNotFound = errors.New("not found")

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
	return fmt.Sprintf("%v: %s (%s)\nhint: stop it with mcpproxy stop, or use another directory with --data-dir", ErrLocked, e.Dir, holder)
}

// Unwrap returns [ErrLocked].
func (e *LockedError) Unwrap() error { return ErrLocked }

// DB is an open database. Safe for concurrent use.
type DB struct {
	bolt    *bolt.DB
	dir     string
	failing atomic.Pointer[error] // what the last write ended with
}

// Close releases the lock. Buckets of a closed DB return errors.
func (db *DB) Close() error {
	_ = os.Remove(filepath.Join(db.dir, pidName))
	return db.bolt.Close()
}

// view runs f in a read transaction. Damage that f runs into is an error.
func (db *DB) view(f func(*bolt.Tx) error) error {
	return guard(func() error { return db.bolt.View(f) })
}

// Bucket holds values of one type by key. Safe for concurrent use.
type Bucket[V any] struct {
	db   *DB
	name []byte
}

// OpenBucket returns the bucket name, made if missing.
func OpenBucket[V any](db *DB, name string) (Bucket[V], error) {
	b := Bucket[V]{db: db, name: []byte(name)}
	var there bool
	err := db.view(func(tx *bolt.Tx) error {
		there = tx.Bucket(b.name) != nil
		return nil
	})
	if err == nil && there { // an fsync less at every start
		return b, nil
	}
	err = db.bolt.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(b.name)
		return err
	})
	if err != nil {
		return b, fmt.Errorf("bucket %s: %w", name, named(err))
	}
	return b, nil
}

// Buckets returns the names of the buckets that begin with prefix.
func (db *DB) Buckets(prefix string) (names []string, err error) {
	err = db.view(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			if strings.HasPrefix(string(name), prefix) {
				names = append(names, string(name))
			}
			return nil
		})
	})
	return names, err
}

// Get returns the value of key, or an error wrapping [ErrNotFound]. A value
// that does not decode is an error naming bucket and key.
func (b Bucket[V]) Get(key string) (V, error) {
	var v V
	err := b.db.view(func(tx *bolt.Tx) error {
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

// Update runs f in one write transaction. Concurrent calls share an fsync. It
// returns an error wrapping [ErrFull] or [ErrReadOnly] where that is the cause;
// nothing of f is written then.
func (db *DB) Update(f func(*Tx) error) error {
	return db.noted(named(db.bolt.Batch(func(tx *bolt.Tx) error { return f(&Tx{tx}) })))
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
	return b.db.view(func(tx *bolt.Tx) error {
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
