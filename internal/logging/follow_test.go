package logging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
)

func TestFollow_ThroughRotation(t *testing.T) {
	t.Parallel()
	l, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	w := l.Server("s")
	say := func(from, to int) {
		for i := from; i < to; i++ {
			_, _ = io.WriteString(w, fmt.Sprintln("line", i))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines, done := make(chan string), make(chan error, 1)
	say(0, 5)
	go func() {
		done <- l.Follow(ctx, "s", 2, func(line string) error {
			lines <- line
			return nil
		})
	}()
	expect := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if line, want := <-lines, fmt.Sprint("line ", i); len(line) < len(want) || line[len(line)-len(want):] != want {
				t.Fatalf("line = %q, want %q", line, want)
			}
		}
	}
	expect(3, 5)
	say(5, 7)
	expect(5, 7)
	if err := l.servers[fileName("s")].out.Rotate(); err != nil {
		t.Fatal(err)
	}
	say(7, 9)
	expect(7, 9)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow = %v, want cancelled", err)
	}
}

func TestFollow_WaitsForTheFirstLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	stop := errors.New("enough")
	done := make(chan error, 1)
	go func() { done <- l.Follow(t.Context(), "later", 1, func(string) error { return stop }) }()
	if err := os.WriteFile(l.ServerPath("later"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(l.ServerPath("later"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(" and whole\n")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, stop) {
		t.Errorf("Follow = %v, want the caller's own error", err)
	}
}
