package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"mcpproxy/internal/store"
)

// Somebody started on the same directory meanwhile: what is open there is no
// damage, and must not lose its name to a new file.
func TestSupplant_LeavesWhatOthersHaveOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	notes := bucket[note](t, db, "notes")
	before, err := os.Stat(filepath.Join(dir, "mcpproxy.db"))
	must(t, err)
	_, err = store.Supplant(dir, func(*store.DB, string) error { t.Error("fill is called"); return nil })
	var locked *store.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("Supplant = %v, want a LockedError with our pid", err)
	}
	after, err := os.Stat(filepath.Join(dir, "mcpproxy.db"))
	must(t, err)
	if !os.SameFile(before, after) {
		t.Error("the open database lost its name")
	}
	must(t, notes.Put("k", note{N: 1}))
}

func TestSupplant_OnceForAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "mcpproxy.db"), []byte("this is no database"), 0o600))
	must(t, os.MkdirAll(filepath.Join(dir, "new-store-123"), 0o700))
	var filled atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := store.Supplant(dir, func(db *store.DB, _ string) error {
				filled.Add(1)
				b, err := store.OpenBucket[note](db, "notes")
				return errors.Join(err, b.Put("k", note{N: 1}))
			})
			if err != nil && !errors.Is(err, store.ErrLocked) {
				t.Errorf("Supplant = %v", err)
			}
		})
	}
	all.Wait()
	if n := filled.Load(); n != 1 {
		t.Errorf("%d programs put a new database there, want 1", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new-store-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	_ = open(t, dir)
}
