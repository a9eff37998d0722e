//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mcpproxy/internal/store"
)

// What others put among the copies is never waited for, followed, or counted on.
func TestBackups_ForeignFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	must(t, bucket[note](t, db, "notes").Put("k", note{N: 1}))
	good, err := db.Backup("notes", 0)
	must(t, err)
	at := func(name string) string { return filepath.Join(dir, "backups", name) }
	must(t, syscall.Mkfifo(at("approvals-000000000007.jsonl"), 0o600))
	must(t, os.Symlink(good.Path, at("approvals-000000000008.jsonl")))
	for _, name := range []string{"approvals-9.jsonl", "approvals-18446744073709551615.jsonl", "approvals-+00000000010.jsonl"} {
		must(t, os.Link(good.Path, at(name)))
	}
	list, err := store.Backups(dir)
	must(t, err)
	if len(list) != 3 || list[0].Err == nil || list[1].Err == nil || list[2].Err != nil || list[2].Seq != 1 {
		t.Fatalf("Backups = %+v, want a link and a pipe as damaged, and copy 1", list)
	}
	must(t, bucket[note](t, db, "notes").Put("k", note{N: 2}))
	if next, err := db.Backup("notes", 0); err != nil || next.Seq != 9 {
		t.Errorf("Backup = %+v, %v; want number 9", next, err)
	}
}
