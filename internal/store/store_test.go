package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/store"
)

type note struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

func open(t testing.TB, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func bucket[V any](t testing.TB, db *store.DB, name string) store.Bucket[V] {
	t.Helper()
	b, err := store.OpenBucket[V](db, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucket_PutGetDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, dir)
	b := bucket[note](t, db, "notes")
	if _, err := b.Get("a"); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), `notes "a"`) {
		t.Errorf("Get of nothing = %v", err)
	}
	if err := b.Update(map[string]note{"a": {"x", 1}, "b": {"y", 2}}, []string{"none"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete("b", "none"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b = bucket[note](t, open(t, dir), "notes")
	if got, err := b.Get("a"); err != nil || got != (note{"x", 1}) {
		t.Errorf("after a restart: %v, %v", got, err)
	}
	if _, err := b.Get("b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

func TestDB_Update_AllOrNothing(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	a, b := bucket[note](t, db, "a"), bucket[func()](t, db, "b")
	err := db.Update(func(tx *store.Tx) error {
		if err := a.Stage(tx, map[string]note{"k": {"x", 1}}, nil); err != nil {
			return err
		}
		return b.Stage(tx, map[string]func(){"k": func() {}}, nil) // no JSON
	})
	if err == nil {
		t.Fatal("want an error")
	}
	if _, err := a.Get("k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("half of a failed transaction is there: %v", err)
	}
}

func TestDB_Update_Concurrent(t *testing.T) {
	t.Parallel()
	b := bucket[note](t, open(t, t.TempDir()), "notes")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := b.Put(strconv.Itoa(i), note{N: i}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	if err := b.All(func(string, note, error) error { n++; return nil }); err != nil || n != 50 {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestBucket_All_GoesOnAfterBrokenRecord(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	good, bad := bucket[note](t, db, "notes"), bucket[string](t, db, "notes")
	_ = good.Put("a", note{Text: "x"})
	_ = bad.Put("b", "no object")
	_ = good.Put("c", note{Text: "z"})
	var got []string
	err := good.All(func(key string, v note, broken error) error {
		got = append(got, fmt.Sprint(key, v.Text, broken != nil))
		return nil
	})
	if want := "ax false bfalse"; err != nil || len(got) != 3 || !strings.HasPrefix(got[1], "b") || !strings.HasSuffix(got[1], "true") {
		t.Errorf("All = %q, %v, want like %q", got, err, want)
	}
	if _, err := good.Get("b"); err == nil || !strings.Contains(err.Error(), `notes "b"`) {
		t.Errorf("Get of a broken record = %v", err)
	}
	stop := errors.New("stop")
	if err := good.All(func(string, note, error) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("All = %v, want the callback's error", err)
	}
}

func TestDB_ClosedReturnsErrors(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	b := bucket[note](t, db, "notes")
	_ = db.Close()
	if _, err := b.Get("a"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
	if err := b.Put("a", note{}); err == nil {
		t.Error("Put on a closed database succeeded")
	}
	if err := b.All(func(string, note, error) error { return nil }); err == nil {
		t.Error("All on a closed database succeeded")
	}
}

func TestOpen_RepairsModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	_ = open(t, dir).Close()
	must(t, os.Chmod(dir, 0o777))
	must(t, os.Chmod(filepath.Join(dir, "mcpproxy.db"), 0o666))
	must(t, os.WriteFile(filepath.Join(dir, "mcpproxy.pid"), []byte("1\n"), 0o666))
	open(t, dir)
	for name, want := range map[string]fs.FileMode{"": 0o700, "mcpproxy.db": 0o600, "mcpproxy.pid": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestHelperHold is the other process of the lock tests.
func TestHelperHold(t *testing.T) {
	dir := os.Getenv("STORE_TEST_HOLD")
	if dir == "" {
		t.Skip("only runs as a child of TestOpen_Locked")
	}
	open(t, dir)
	fmt.Println("open")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the parent closes it
}

func TestOpen_LockedNamesTheHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestHelperHold$")
	child.Env = append(os.Environ(), "STORE_TEST_HOLD="+dir)
	stdin, err := child.StdinPipe()
	must(t, err)
	stdout, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	before := time.Now()
	_, err = store.Open(dir)
	var locked *store.LockedError
	if !errors.As(err, &locked) || !errors.Is(err, store.ErrLocked) {
		t.Fatalf("Open = %v, want a LockedError", err)
	}
	if took := time.Since(before); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if locked.PID != child.Process.Pid || !strings.Contains(err.Error(), strconv.Itoa(child.Process.Pid)) {
		t.Errorf("error %q does not name pid %d", err, child.Process.Pid)
	}
	must(t, child.Process.Kill()) // the lock of a killed process is free, whatever its pid file says
	_ = child.Wait()
	_ = stdin.Close()
	if store.Holder(dir) == 0 {
		t.Error("a killed process took its pid file along")
	}
	open(t, dir)
	if got := store.Holder(dir); got != os.Getpid() {
		t.Errorf("Holder = %d, want %d", got, os.Getpid())
	}
}

func TestHolder_IgnoresNonsense(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "-4", "1 2", "99999999999999999999"} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "mcpproxy.pid"), []byte(text), 0o600))
		if got := store.Holder(dir); got != 0 {
			t.Errorf("Holder(%q) = %d, want 0", text, got)
		}
	}
	if got := store.Holder(t.TempDir()); got != 0 {
		t.Errorf("Holder of nothing = %d", got)
	}
}

func TestOpen_DirectoryThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := store.Open(filepath.Join(file, "sub")); err == nil || errors.Is(err, store.ErrDamaged) {
		t.Errorf("Open = %v, want a plain error", err)
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "mcpproxy.db"), 0o700))
	if _, err := store.Open(dir); err == nil || errors.Is(err, store.ErrDamaged) {
		t.Errorf("Open = %v, want a plain error", err)
	}
}
