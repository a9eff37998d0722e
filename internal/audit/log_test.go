package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

func open(t testing.TB, dir string, opt Options) *Log {
	t.Helper()
	l, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func list(t testing.TB, l *Log, f Filter) []Entry {
	t.Helper()
	entries, err := l.List(f)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func names(entries []Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, e.Tool)
	}
	return strings.Join(s, " ")
}

func TestLog_ListChooses(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := open(t, t.TempDir(), Options{})
	for i, e := range []Entry{
		{What: Call, Server: "a", Tool: "one", Outcome: OK},
		{What: Call, Server: "b", Tool: "two", Outcome: Failed},
		{What: "approved", Server: "a", Tool: "three"},
		{What: Call, Server: "a", Tool: "four", Outcome: Refused},
	} {
		e.Time = begin.Add(time.Duration(i) * time.Minute)
		l.Record(e)
	}
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		{"all", Filter{}, "one two three four"},
		{"newest two", Filter{Limit: 2}, "three four"},
		{"of a server", Filter{Server: "a"}, "one three four"},
		{"of a kind", Filter{What: Call}, "one two four"},
		{"with an outcome", Filter{Outcome: Failed}, "two"},
		{"of a tool", Filter{Server: "a", Tool: "four"}, "four"},
		{"since", Filter{Since: begin.Add(2 * time.Minute)}, "three four"},
		{"after", Filter{After: 3}, "four"},
		{"none", Filter{Server: "c"}, ""},
	} {
		if got := names(list(t, l, c.f)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLog_SurvivesARestartAndATornLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, Options{})
	l.Record(Entry{What: Call, Tool: "one"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fileName)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"seq":2,"what":"ca`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	l = open(t, dir, Options{})
	l.Record(Entry{What: Call, Tool: "two"})
	got := list(t, l, Filter{})
	if names(got) != "one two" || got[1].Seq != 2 {
		t.Errorf("%+v", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestLog_RotatesAndReadsAcrossFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data [1]*") // a pattern elsewhere
	l := open(t, dir, Options{MaxMB: 3})
	file := l.file.(*lumberjack.Logger)
	file.MaxSize, file.MaxBackups = 1, 2
	const n = 12000 // about 2.3 MB
	for i := range n {
		l.Record(Entry{What: Call, Server: "a", Tool: fmt.Sprint(i), Detail: strings.Repeat("x", 100)})
		if i%1000 == 0 {
			l.Flush()
		}
	}
	got := list(t, l, Filter{})
	files, _ := l.files()
	if len(files) < 2 || len(got) < 5000 {
		t.Fatalf("%d files, %d entries", len(files), len(got))
	}
	for i := 1; i < len(got); i++ {
		if got[i].Seq != got[i-1].Seq+1 {
			t.Fatalf("after %d comes %d", got[i-1].Seq, got[i].Seq)
		}
	}
	if last := list(t, l, Filter{Limit: 3}); names(last) != fmt.Sprintf("%d %d %d", n-3, n-2, n-1) {
		t.Errorf("the last are %s", names(last))
	}
}

// full is a disk that takes nothing while it is set.
type full struct {
	io.WriteCloser
	set atomic.Bool
}

func (f *full) Write(b []byte) (int, error) {
	if f.set.Load() {
		return 0, errors.New("no space left")
	}
	return f.WriteCloser.Write(b)
}

func TestLog_SaysWhatItCouldNotKeep(t *testing.T) {
	t.Parallel()
	var failures atomic.Int32
	l := open(t, t.TempDir(), Options{Failed: func(error) { failures.Add(1) }})
	disk := &full{WriteCloser: l.file}
	disk.set.Store(true)
	l.file = disk
	for _, name := range []string{"one", "two"} {
		l.Record(Entry{What: Call, Tool: name})
		l.Flush()
	}
	if l.Failing() == nil {
		t.Error("it is not said while it lasts")
	}
	disk.set.Store(false)
	l.Record(Entry{What: Call, Tool: "three"})
	got := list(t, l, Filter{})
	if err := l.Failing(); err != nil {
		t.Errorf("it is still said: %v", err)
	}
	if len(got) != 2 || got[0].Tool != "three" || got[1].What != Lost || got[1].Detail != "2 entries" {
		t.Errorf("%+v", got)
	}
	if n := failures.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestLog_Wait(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir(), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- l.Wait(ctx, 0) }()
	l.Record(Entry{What: Call})
	if err := <-done; err != nil {
		t.Error(err)
	}
	cancel()
	if err := l.Wait(ctx, 1); err == nil {
		t.Error("no error of an ended context")
	}
}

func TestLog_CountsEveryRecordOfMany(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir(), Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				l.Record(Entry{What: Call, Arguments: json.RawMessage(`{"a":1}`)})
			}
		})
	}
	wg.Wait()
	if got := list(t, l, Filter{}); len(got) != 4000 {
		t.Errorf("%d entries", len(got))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Record(Entry{What: Call}) // after Close: dropped, no panic
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkRecord(b *testing.B) {
	l := open(b, b.TempDir(), Options{})
	e := Entry{What: Call, Actor: Agent, Server: "github", Tool: "list_issues", Hash: strings.Repeat("a", 64), Outcome: OK, Micros: 400}
	for b.Loop() {
		l.Record(e)
	}
}

func TestLog_FileHidesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, Options{})
	const name = "a\u202eb\u200bc\U000e0041d\u0085e\x7f\x1bf é 日"
	l.Record(Entry{What: Call, Tool: name})
	if got := list(t, l, Filter{}); len(got) != 1 || got[0].Tool != name {
		t.Errorf("read back: %+v", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(text), "\u202e\u200b\U000e0041\u0085\x7f\x1b") || !strings.Contains(string(text), "é 日") {
		t.Errorf("the file has %q", text)
	}
}
