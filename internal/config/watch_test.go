package config_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mcpproxy/internal/config"
)

// watched runs Watch on path and returns a channel that holds one item for each
// call, the first of them taken.
func watched(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	calls := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- config.Watch(ctx, path, func() { calls <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch = %v", err)
		}
	})
	next(t, calls, "the start")
	return calls
}

func next(t *testing.T, calls <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(10 * time.Second):
		t.Fatalf("no call after %s", what)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, config.FileName)
	calls := watched(t, path)

	write(t, path, "{}")
	next(t, calls, "creation")
	for range 20 { // one burst that ends with a new text
		write(t, path, "{ ")
		write(t, path, "{  }")
	}
	next(t, calls, "writing")
	if len(calls) > 0 {
		t.Errorf("a burst made %d calls more than one", len(calls))
	}
	write(t, path+".new", "{   }")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	next(t, calls, "renaming")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next(t, calls, "deletion")
	write(t, path, "{    }")
	next(t, calls, "making it again")
	if err := config.NewFile(path).AddServer("a", []config.Field{{Key: "command", Value: "x"}}); err != nil {
		t.Fatal(err)
	}
	next(t, calls, "an edit")
}

func TestWatch_FolderMadeLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "later", config.FileName)
	calls := watched(t, path)
	if err := config.Create(path); err != nil {
		t.Fatal(err)
	}
	next(t, calls, "creation")
}

func TestWatch_SymlinkSwap(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("needs symbolic links")
	}
	dir := t.TempDir()
	link := func(to, name string) {
		t.Helper()
		tmp := filepath.Join(dir, "tmp")
		if err := os.Symlink(to, tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, v, "c.json"), "{} // "+v+"\n")
	}
	link("v1", "current") // as a deployment swaps whole folders
	link(filepath.Join("current", "c.json"), "c.json")
	calls := watched(t, filepath.Join(dir, "c.json"))
	link("v2", "current")
	next(t, calls, "swapping the folder")
	write(t, filepath.Join(dir, "v2", "c.json"), "{} // v3\n")
	next(t, calls, "writing the target")
}
