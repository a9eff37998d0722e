package store

import bolt "go.etcd.io/bbolt"

// noted keeps what the last write ended with, for [DB.Writable].
func (db *DB) noted(err error) error {
	db.failing.Store(&err)
	return err
}

// Writable returns nil unless the last write failed and one more, of nothing, does
// too. So it costs nothing while all is well, and notices when it is again.
func (db *DB) Writable() error {
	if last := db.failing.Load(); last == nil || *last == nil {
		return nil
	}
	return db.noted(named(db.bolt.Update(func(*bolt.Tx) error { return nil })))
}
