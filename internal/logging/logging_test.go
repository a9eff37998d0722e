package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"

	"mcpproxy/internal/logging"
)

func open(t testing.TB, opt logging.Options) *logging.Logs {
	t.Helper()
	l, err := logging.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return l
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLogs_WritesToStderrAndFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "logs")
	var stderr bytes.Buffer
	l := open(t, logging.Options{Dir: dir, Stderr: &stderr, File: true})
	log := l.Logger().Named("upstream").With(zap.String("server", "github"))
	log.Debug("not at this level")
	log.Info("docker isolation: started", zap.Error(errors.New("none")))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S+ INFO upstream docker isolation: started \{"server": "github", "error": "none"\}\n$`)
	for name, got := range map[string]string{"stderr": stderr.String(), "main.log": read(t, filepath.Join(dir, "main.log"))} {
		if !want.MatchString(got) {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if os.PathSeparator == '/' {
		folder, _ := os.Stat(dir)
		file, _ := os.Stat(filepath.Join(dir, "main.log"))
		if folder.Mode().Perm() != 0o700 || file.Mode().Perm() != 0o600 {
			t.Errorf("modes %v and %v, want 0700 and 0600", folder.Mode(), file.Mode())
		}
	}
}

func TestLogs_Levels(t *testing.T) {
	t.Parallel()
	all := []string{"debug", "info", "warn", "error"}
	for level, lowest := range map[string]string{"trace": "debug", "debug": "debug", "info": "info", "": "info", "warn": "warn", "error": "error"} {
		var stderr bytes.Buffer
		l := open(t, logging.Options{Level: level, Stderr: &stderr})
		l.Logger().Debug("debug")
		l.Logger().Info("info")
		l.Logger().Warn("warn")
		l.Logger().Error("error")
		first := 0
		for all[first] != lowest {
			first++
		}
		if got := strings.Count(stderr.String(), "\n"); got != len(all)-first {
			t.Errorf("level %q let %d lines through, want %d:\n%s", level, got, len(all)-first, &stderr)
		}
	}
	if _, err := logging.New(logging.Options{Level: "loud"}); !errors.Is(err, logging.ErrLevel) {
		t.Errorf("New with level loud = %v, want ErrLevel", err)
	}
}

func TestLogs_SetLevel(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	l := open(t, logging.Options{Level: "warn", Stderr: &stderr})
	named := l.Logger().Named("part")
	for _, level := range []string{"warn", "debug", "loud", "error"} {
		l.SetLevel(level)
		named.Info("at " + level)
	}
	if got := stderr.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "at debug") || !strings.Contains(got, "at loud") {
		t.Errorf("what was let through:\n%s", got)
	}
}

// Text that steers terminals, forges lines or hides.
const hostile = "a\nb\r\x1b[2Jc\x07\u202ed\u200be\u2066f\u2028g\x7fh\u009bi\U000e0041j\xffk\ufeff"

var dangerous = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")

func TestLogs_EscapesForeignText(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{false, true} {
		var stderr bytes.Buffer
		l := open(t, logging.Options{Stderr: &stderr, Color: color})
		l.Logger().Named(hostile).With(zap.String("with", hostile)).Info(hostile,
			zap.String("s", hostile), zap.Error(errors.New(hostile)), zap.Strings("list", []string{hostile}), zap.Any(hostile, map[string]string{hostile: hostile}))
		got := stderr.String()
		if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") {
			t.Errorf("color %v: not one line: %q", color, got)
		}
		if color {
			if strings.Count(got, "\x1b") != 2 {
				t.Errorf("not the two colour codes of the level: %q", got)
			}
			got = strings.ReplaceAll(got, "\x1b", "")
		}
		if bad := dangerous.FindString(got); bad != "" {
			t.Errorf("color %v: %q in %q", color, bad, got)
		}
		for _, want := range []string{`a\nb`, `\x1b[2J`, `\u202e`, `\U000e0041`} {
			if !strings.Contains(got, want) {
				t.Errorf("color %v: nothing shows %s in %q", color, want, got)
			}
		}
	}
}

func TestLogs_Server(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, logging.Options{Dir: dir})
	w := l.Server("github")
	for _, piece := range []string{"one\ntw", "o\r\n", "\n", "\x1b[31mred\u202e\n", "unfinished"} {
		if n, err := io.WriteString(w, piece); n != len(piece) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if got, err := l.Tail("github", 10); err != nil || len(got) != 4 {
		t.Errorf("Tail = %q, %v, want four lines", got, err)
	}
	again := l.Server("github")
	_, _ = io.WriteString(again, "again\n")
	_ = w.Close()
	_ = w.Close()
	_, _ = io.WriteString(w, "dropped\n")
	got, err := l.Tail("github", 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "two", "", `\x1b[31mred\u202e`, "again", "unfinished"}
	if len(got) != len(want) {
		t.Fatalf("Tail = %q, want %q", got, want)
	}
	for i := range want {
		stamp, text, ok := strings.Cut(got[i], " ")
		if !ok || text != want[i] || len(stamp) < 20 {
			t.Errorf("line %d = %q, want a time and %q", i, got[i], want[i])
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "server-github.log")); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v, want mode 0600", info, err)
	}
}

func TestLogs_Server_LineWithoutEnd(t *testing.T) {
	t.Parallel()
	l := open(t, logging.Options{Dir: t.TempDir()})
	w := l.Server("a")
	block := bytes.Repeat([]byte("x"), 1<<20)
	for range 4 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Tail("a", 1000)
	if err != nil || len(got) == 0 {
		t.Fatalf("Tail = %d lines, %v", len(got), err)
	}
	for _, line := range got {
		if len(line) > 17<<10 {
			t.Fatalf("a line of %d bytes", len(line))
		}
	}
}

func TestLogs_Server_Rotates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, logging.Options{Dir: dir})
	w := l.Server("a")
	block := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 10_000)
	for range 12 {
		_, _ = w.Write(block)
	}
	files, err := filepath.Glob(filepath.Join(dir, "server-a*.log"))
	if err != nil || len(files) < 2 {
		t.Errorf("files %q, %v, want a rotated one", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() > 10<<20 {
			t.Errorf("%s has %d bytes, %v", f, info.Size(), err)
		}
	}
}

func TestLogs_Server_NamesStayInTheFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir := filepath.Join(base, "logs")
	l := open(t, logging.Options{Dir: dir})
	names := []string{"", ".", "..", "../x", "../../etc/passwd", "a/b", `a\b`, "C:x", "a\x00b", "a b", "a_b", "\xff", strings.Repeat("ü", 64), strings.Repeat("a", 500)}
	for _, name := range names {
		_, _ = fmt.Fprintf(l.Server(name), "from %q\n", name)
		got, err := l.Tail(name, 5)
		if err != nil || len(got) != 1 || !strings.Contains(got[0], fmt.Sprintf("from %q", name)) {
			t.Errorf("Tail(%q) = %q, %v, want its own line", name, got, err)
		}
	}
	files, _ := os.ReadDir(dir)
	outside, _ := os.ReadDir(base)
	if len(files) != len(names) || len(outside) != 1 {
		t.Errorf("%d files in the folder and %d beside it, want %d and 0", len(files), len(outside)-1, len(names))
	}
}

func TestLogs_Tail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, logging.Options{Dir: dir})
	if got, err := l.Tail("none", 5); got != nil || err != nil {
		t.Errorf("Tail of no log = %q, %v", got, err)
	}
	var text strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	for name, tt := range map[string]struct {
		text  string
		lines int
		first string
		n     int
	}{
		"last":        {text.String(), 3, "line 49997", 3},
		"many":        {text.String(), 9000, "line 41000", 9000},
		"bounded":     {text.String(), 1 << 30, "line 40000", 10_000},
		"none wanted": {text.String(), 0, "", 0},
		"fewer":       {"a\nb\n", 5, "a", 2},
		"exactly":     {"a\nb\n", 2, "a", 2},
		"unfinished":  {"a\nb", 1, "b", 1},
		"empty":       {"", 1, "", 0},
		"huge line":   {"a\n" + strings.Repeat("x", 6<<20) + "\nb\n", 2, "b", 1},
	} {
		if err := os.WriteFile(filepath.Join(dir, "server-x.log"), []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := l.Tail("x", tt.lines)
		if err != nil || len(got) != tt.n || tt.n > 0 && got[0] != tt.first {
			t.Errorf("%s: Tail = %d lines, %v, want %d from %q", name, len(got), err, tt.n, tt.first)
		}
	}
}

func TestLogs_Closed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, logging.Options{Dir: dir, File: true})
	w := l.Server("a")
	l.Logger().Info("last words")
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(w, "late\n")
	_, _ = io.WriteString(l.Server("b"), "late\n")
	l.Logger().Info("late")
	if got := read(t, filepath.Join(dir, "main.log")); !strings.Contains(got, "last words") {
		t.Errorf("main.log holds %q", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("files %v, want main.log alone", files)
	}
}

func TestLogs_NoFolder(t *testing.T) {
	t.Parallel()
	l := open(t, logging.Options{File: true})
	l.Logger().Info("nowhere")
	w := l.Server("a")
	_, _ = io.WriteString(w, "nowhere\n")
	_ = w.Close()
	if got, err := l.Tail("a", 5); got != nil || err != nil {
		t.Errorf("Tail = %q, %v", got, err)
	}
}

func FuzzLogs_Server(f *testing.F) {
	f.Add("name", []byte(hostile), 3)
	f.Add("../..", []byte("a\nb"), 1)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, name string, text []byte, cut int) {
		l, err := logging.New(logging.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		defer func() { _ = os.Remove(l.ServerPath(name)) }()
		w := l.Server(name)
		cut = min(max(cut, 0), len(text))
		_, _ = w.Write(text[:cut])
		_, _ = w.Write(text[cut:])
		_ = w.Close()
		lines, err := l.Tail(name, 100)
		if err != nil {
			t.Fatal(err)
		}
		if bad := dangerous.FindString(strings.Join(lines, "")); bad != "" {
			t.Fatalf("%q in the log of %q", bad, text)
		}
		if filepath.Dir(l.ServerPath(name)) != dir {
			t.Fatalf("%q leads to %q", name, l.ServerPath(name))
		}
	})
}

func BenchmarkLogger_File(b *testing.B) {
	l := open(b, logging.Options{Dir: b.TempDir(), File: true})
	log := l.Logger().Named("upstream")
	for b.Loop() {
		log.Info("server is ready", zap.String("server", "github"), zap.Int("tools", 42))
	}
}
