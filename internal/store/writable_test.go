package store_test

import (
	"errors"
	"testing"

	"mcpproxy/internal/store"
)

// What a caller's own function returns is no fault of the disk for long: the next
// look finds that it can be written.
func TestDB_Writable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	if err := db.Writable(); err != nil {
		t.Errorf("before any write: %v", err)
	}
	mine := errors.New("mine")
	if err := db.Update(func(*store.Tx) error { return mine }); !errors.Is(err, mine) {
		t.Fatal(err)
	}
	if err := db.Writable(); err != nil {
		t.Errorf("after a caller's own error: %v", err)
	}
	must(t, db.Close())
	if err := db.Update(func(*store.Tx) error { return nil }); err == nil {
		t.Fatal("a closed database is written")
	}
	if err := db.Writable(); err == nil {
		t.Error("a closed database can be written")
	}
}
