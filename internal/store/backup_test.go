package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"mcpproxy/internal/store"
)

const prefix = "q."

// copied is a database with records to copy and one to leave out.
func copied(t testing.TB) (*store.DB, store.Bucket[note], string) {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir)
	b := bucket[note](t, db, prefix+"notes")
	must(t, b.Put("one", note{Text: "first", N: 1}))
	must(t, bucket[note](t, db, "catalog").Put("tool", note{Text: "can be rebuilt"}))
	return db, b, dir
}

func backup(t testing.TB, db *store.DB) store.Backup {
	t.Helper()
	b, err := db.Backup(prefix, 0)
	must(t, err)
	return b
}

func list(t testing.TB, dir string) []store.Backup {
	t.Helper()
	l, err := store.Backups(dir)
	must(t, err)
	return l
}

func TestDB_Backup_KeepsThreeGenerations(t *testing.T) {
	t.Parallel()
	db, notes, dir := copied(t)
	for i := range 6 {
		must(t, notes.Put("n", note{N: i}))
		backup(t, db)
		backup(t, db) // nothing changed: no generation
	}
	l := list(t, dir)
	if len(l) != 3 || l[0].Seq != 6 || l[2].Seq != 4 {
		t.Fatalf("generations %+v, want 6, 5 and 4", l)
	}
	for _, b := range l {
		info, err := os.Stat(b.Path)
		must(t, err)
		if b.Err != nil || b.Records != 2 || info.Mode().Perm() != 0o600 {
			t.Errorf("%+v with mode %o, want two records, sound, 0600", b, info.Mode().Perm())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "backups", "new-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestDB_Backup_FloorKeepsWhatWasBeforeALoss(t *testing.T) {
	t.Parallel()
	db, notes, dir := copied(t)
	for i := range 3 {
		must(t, notes.Put("n", note{N: i}))
		backup(t, db)
	}
	for i := range 5 {
		must(t, notes.Put("after", note{N: i}))
		_, err := db.Backup(prefix, 3)
		must(t, err)
	}
	var seqs []uint64
	for _, b := range list(t, dir) {
		seqs = append(seqs, b.Seq)
	}
	if fmt.Sprint(seqs) != "[8 7 6 3 2 1]" {
		t.Errorf("generations %v", seqs)
	}
}

func TestDB_Restore(t *testing.T) {
	t.Parallel()
	db, notes, dir := copied(t)
	b := backup(t, db)
	must(t, notes.Put("one", note{Text: "second"}))
	must(t, notes.Put("two", note{}))
	records, err := b.Load()
	must(t, err)
	must(t, db.Restore(prefix, records, "catalog"))
	if got, err := notes.Get("one"); err != nil || got.Text != "first" {
		t.Errorf("one = %+v, %v", got, err)
	}
	if _, err := notes.Get("two"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("two: %v, want ErrNotFound", err)
	}
	if _, err := bucket[note](t, db, "catalog").Get("tool"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("catalog: %v, want ErrNotFound", err)
	}
	if len(list(t, dir)) != 1 {
		t.Error("restoring made a backup")
	}
	if err := db.Restore(prefix, []store.Record{{Bucket: "catalog", Key: []byte("x"), Value: []byte("1")}}); !errors.Is(err, store.ErrBackup) {
		t.Errorf("a record of another bucket: %v", err)
	}
}

// A copy that was cut or changed anywhere is never offered as sound.
func TestBackups_DamageIsNoticed(t *testing.T) {
	t.Parallel()
	db, notes, dir := copied(t)
	for i := range 20 {
		must(t, notes.Put(fmt.Sprint(i), note{Text: strings.Repeat("x", i)}))
	}
	b := backup(t, db)
	good, err := os.ReadFile(b.Path)
	must(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	tries := 1000
	if testing.Short() {
		tries = 100
	}
	for i := range tries {
		bad := bytes.Clone(good)
		if i%2 == 0 {
			bad[random.IntN(len(bad))] ^= byte(1 << random.IntN(8))
		} else {
			bad = bad[:random.IntN(len(bad))]
		}
		must(t, os.WriteFile(b.Path, bad, 0o600))
		got := list(t, dir)[0]
		if got.Err == nil && (got.Sum != b.Sum || i%2 == 1) { // the time in the header may be another
			t.Fatalf("damage %d is not noticed", i)
		}
		if got.Err != nil && !errors.Is(got.Err, store.ErrBackup) {
			t.Fatalf("damage %d: %v", i, got.Err)
		}
	}
}

func TestKeeper_WaitsForQuietAndClosesWithABackup(t *testing.T) {
	t.Parallel()
	db, notes, dir := copied(t)
	k := store.NewKeeper(db, store.KeeperOptions{Prefix: prefix})
	k.Changed()
	must(t, k.Close())
	if len(list(t, dir)) != 1 {
		t.Fatal("closing made no backup")
	}
	synctest.Test(t, func(t *testing.T) {
		k := store.NewKeeper(db, store.KeeperOptions{Prefix: prefix})
		must(t, notes.Put("a", note{N: 1}))
		k.Changed()
		synctest.Wait()
		if len(list(t, dir)) != 1 {
			t.Error("a backup was made at once")
		}
		must(t, k.Close())
	})
	if len(list(t, dir)) != 2 {
		t.Error("what was due was not made at the end")
	}
}

// A folder may be called what is a pattern elsewhere.
func TestBackups_InAnyFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data [1]*")
	db := open(t, dir)
	for i := range 5 {
		must(t, bucket[note](t, db, "notes").Put("k", note{N: i}))
		if _, err := db.Backup("notes", 0); err != nil {
			t.Fatal(err)
		}
	}
	list, err := store.Backups(dir)
	if err != nil || len(list) != 3 || list[0].Seq != 5 {
		t.Errorf("Backups = %+v, %v; want three up to number 5", list, err)
	}
}

func TestSupplant(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mcpproxy.db")
	must(t, os.WriteFile(path, []byte("no database"), 0o600))
	kept, err := store.Supplant(dir, func(db *store.DB, kept string) error {
		return bucket[note](t, db, "notes").Put("why", note{Text: kept})
	})
	must(t, err)
	if old, err := os.ReadFile(kept); err != nil || string(old) != "no database" {
		t.Errorf("the damaged file is not kept: %q %v", old, err)
	}
	db := open(t, dir)
	if got, err := bucket[note](t, db, "notes").Get("why"); err != nil || got.Text != kept {
		t.Errorf("the new one holds %+v, %v", got, err)
	}
	must(t, db.Close())
	kept, err = store.Supplant(dir, func(*store.DB, string) error { return errors.New("called for a sound one") })
	if err != nil || kept != "" {
		t.Errorf("Supplant of a sound database = %q, %v", kept, err)
	}
}
