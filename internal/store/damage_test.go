package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/store"
)

// sound returns the bytes of a database with branch pages, overflow pages and a
// freelist that is not empty.
func sound(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	db := open(t, dir)
	b := bucket[note](t, db, "notes")
	put := map[string]note{}
	for i := range 400 {
		put[fmt.Sprintf("key-%04d", i)] = note{Text: strings.Repeat("x", 100), N: i}
	}
	must(t, b.Update(put, nil))
	must(t, b.Put("big", note{Text: strings.Repeat("y", 20_000)}))
	must(t, b.Delete("key-0007", "key-0100"))
	must(t, db.Close())
	data, err := os.ReadFile(filepath.Join(dir, "mcpproxy.db"))
	must(t, err)
	return data
}

// use opens a database of these bytes and does everything with it that the
// program does. It returns the error of Open.
func use(t testing.TB, data []byte) error {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "mcpproxy.db"), data, 0o600))
	db, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	b, err := store.OpenBucket[note](db, "notes")
	if err != nil {
		return nil
	}
	_ = b.All(func(string, note, error) error { return nil })
	_, _ = b.Get("key-0200")
	_ = b.Put("key-0200", note{Text: strings.Repeat("z", 5000)})
	_ = b.Delete("big")
	return nil
}

func TestOpen_Garbage(t *testing.T) {
	t.Parallel()
	good := sound(t)
	tests := map[string][]byte{
		"text":      []byte("this is no database"),
		"zeroes":    make([]byte, 65536),
		"no metas":  append(make([]byte, 8192), good[8192:]...),
		"truncated": good[:len(good)/2],
		"one page":  good[:4096],
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := use(t, data)
			if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "mcpproxy.db") {
				t.Errorf("Open = %v, want ErrDamaged with the path", err)
			}
		})
	}
}

func TestOpen_DamagedFreesTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mcpproxy.db")
	good := sound(t)
	must(t, os.WriteFile(path, good[:len(good)/2], 0o600))
	if _, err := store.Open(dir); !errors.Is(err, store.ErrDamaged) {
		t.Fatalf("Open = %v, want ErrDamaged", err)
	}
	must(t, os.WriteFile(path, good, 0o600)) // restored from a copy
	open(t, dir)
}

// A flipped bit, anywhere, is an error or a record that does not decode, never
// a panic and never a hang.
func TestOpen_FlippedBits(t *testing.T) {
	t.Parallel()
	good := sound(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	flips := 150
	if os.Getenv("STORE_TEST_FLIPS") != "" {
		_, _ = fmt.Sscan(os.Getenv("STORE_TEST_FLIPS"), &flips)
	}
	damaged := 0
	for i := range flips {
		data := append([]byte(nil), good...)
		at := rnd.IntN(len(data))
		if i%2 == 0 { // headers and element tables, where it hurts
			at = at/4096*4096 + rnd.IntN(64)
		}
		data[at%len(data)] ^= 1 << rnd.IntN(8)
		if err := use(t, data); err != nil {
			if !errors.Is(err, store.ErrDamaged) {
				t.Errorf("flip at %d: %v, want ErrDamaged", at, err)
			}
			damaged++
		}
	}
	if damaged == 0 {
		t.Error("no flip was noticed")
	}
	for i := range flips / 5 {
		if err := use(t, good[:rnd.IntN(len(good))]); err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("truncation %d: %v, want ErrDamaged", i, err)
		}
	}
	t.Logf("%d of %d flips noticed at open", damaged, flips)
}

func BenchmarkOpen_10000Records(b *testing.B) {
	dir := b.TempDir()
	db := open(b, dir)
	notes := bucket[note](b, db, "notes")
	put := map[string]note{}
	for i := range 10_000 {
		put[fmt.Sprintf("server-%d:tool-%d", i%200, i)] = note{Text: strings.Repeat("x", 2000), N: i}
	}
	must(b, notes.Update(put, nil))
	must(b, db.Close())
	for b.Loop() {
		db, err := store.Open(dir)
		must(b, err)
		must(b, db.Close())
	}
}

// What the check at open refuses must never be what bbolt itself wrote.
func TestOpen_SoundAfterRandomUse(t *testing.T) {
	t.Parallel()
	dir, rnd := t.TempDir(), rand.New(rand.NewPCG(3, 4))
	for range 12 {
		db, err := store.Open(dir)
		must(t, err)
		for i := range 4 {
			b := bucket[note](t, db, fmt.Sprintf("bucket-%d", rnd.IntN(3)))
			put, remove := map[string]note{}, []string(nil)
			for range rnd.IntN(300) {
				put[fmt.Sprint(rnd.IntN(2000))] = note{Text: strings.Repeat("x", rnd.IntN(1+6000*(i%2)))}
				remove = append(remove, fmt.Sprint(rnd.IntN(2000)))
			}
			must(t, b.Update(put, remove))
		}
		must(t, db.Close())
	}
	_ = open(t, dir)
}
