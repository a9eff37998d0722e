package logging

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"go.uber.org/zap"
	"gopkg.in/natefinch/lumberjack.v2"
)

// maxLine is where a line without end is broken.
const maxLine = 16 << 10

// fileName is server-<name>.log. A name that could leave the folder or trouble a
// file system is made safe and told apart by a hash.
func fileName(server string) string {
	safe := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(server, "_"))
	const most = 150 // bytes; with prefix, hash and rotation stamp below the usual 255
	if len(safe) > most {
		safe = strings.ToValidUTF8(safe[:most], "")
	}
	if safe != server || safe == "" {
		sum := sha256.Sum256([]byte(server))
		safe += "-" + hex.EncodeToString(sum[:4])
	}
	return "server-" + safe + ".log"
}

// ServerPath returns where the log of a server is, or "" without a folder.
func (l *Logs) ServerPath(name string) string {
	if l.dir == "" {
		return ""
	}
	return filepath.Join(l.dir, fileName(name))
}

// Server returns a writer into the log of one server: each line gets the time
// and is escaped. Writing never fails and closing it ends an unfinished line.
// Writers of the same server share one file. Without a folder, and after
// [Logs.Close], what is written is dropped.
func (l *Logs) Server(name string) io.WriteCloser {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir == "" || l.closed {
		return &lineWriter{}
	}
	file := fileName(name)
	s, ok := l.servers[file]
	if !ok {
		s = &serverFile{out: rotated(filepath.Join(l.dir, file)), server: name, log: l.log, mask: l.mask}
		l.servers[file] = s
	}
	return &lineWriter{file: s}
}

// serverFile is the log of one server.
type serverFile struct {
	mu     sync.Mutex
	out    *lumberjack.Logger
	closed bool
	failed bool
	server string
	log    *zap.Logger
	mask   *Redactor
}

// write appends whole lines. The first failure is reported, once.
func (s *serverFile) write(lines []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(lines) == 0 {
		return
	}
	_, err := s.out.Write(lines)
	if err != nil && !s.failed {
		s.log.Warn("cannot write the log of a server", zap.String("server", s.server), zap.Error(err))
	}
	s.failed = err != nil
}

func (s *serverFile) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.out.Close()
}

// lineWriter cuts what one process writes into lines.
type lineWriter struct {
	file *serverFile // nil drops everything

	mu      sync.Mutex
	partial []byte
	closed  bool
}

// Write takes any piece of text. It returns len(p), nil.
func (w *lineWriter) Write(p []byte) (int, error) {
	if w.file == nil {
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(p), nil
	}
	var out bytes.Buffer
	stamp := time.Now().Format("2006-01-02T15:04:05.000Z07:00 ")
	for rest := p; len(rest) > 0; {
		room := maxLine - len(w.partial)
		i := bytes.IndexByte(rest[:min(len(rest), room)], '\n')
		switch {
		case i >= 0:
			w.file.setLine(&out, stamp, append(w.partial, rest[:i]...))
			w.partial, rest = w.partial[:0], rest[i+1:]
		case len(rest) >= room:
			w.file.setLine(&out, stamp, append(w.partial, rest[:room]...))
			w.partial, rest = w.partial[:0], rest[room:]
		default:
			w.partial, rest = append(w.partial, rest...), nil
		}
		if out.Len() > 1<<20 { // far below the size at which a file rotates
			w.file.write(out.Bytes())
			out.Reset()
		}
	}
	w.file.write(out.Bytes())
	return len(p), nil
}

// Close writes the unfinished line. Further writes are dropped.
func (w *lineWriter) Close() error {
	if w.file == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed && len(w.partial) > 0 {
		var out bytes.Buffer
		w.file.setLine(&out, time.Now().Format("2006-01-02T15:04:05.000Z07:00 "), w.partial)
		w.file.write(out.Bytes())
	}
	w.closed, w.partial = true, nil
	return nil
}

func (s *serverFile) setLine(out *bytes.Buffer, stamp string, line []byte) {
	out.WriteString(stamp)
	out.WriteString(s.mask.Text(escape(strings.TrimSuffix(string(line), "\r"))))
	out.WriteByte('\n')
}

// Tail limits.
const (
	maxTailLines = 10_000
	maxTailBytes = 4 << 20
)

// Tail returns the last lines of a server's log, oldest first: at most 10,000
// and 4 MiB of them. A server that has logged nothing has none. It looks into
// the current file only, not into rotated ones.
func (l *Logs) Tail(name string, lines int) ([]string, error) {
	path := l.ServerPath(name)
	if path == "" || lines <= 0 {
		return nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text, err := tail(f, info.Size(), min(lines, maxTailLines))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

// tail reads blocks from the end until they hold the lines.
func tail(f io.ReaderAt, size int64, lines int) ([]byte, error) {
	const block = 64 << 10
	var text []byte
	for from := size; from > 0 && len(text) < maxTailBytes; {
		n := min(from, block)
		from -= n
		piece := make([]byte, n, int(n)+len(text))
		if read, err := f.ReadAt(piece, from); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		} else if read < len(piece) {
			piece = piece[:read]
		}
		text = append(piece, text...)
		if cut := lastLines(text, lines); cut > 0 || from == 0 {
			return text[max(cut, 0):], nil
		}
	}
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[i+1:] // its first line is not whole
	}
	return text, nil
}

// lastLines returns where the last lines of text begin, or -1 if text does not
// show that it holds them whole.
func lastLines(text []byte, lines int) int {
	end := len(bytes.TrimSuffix(text, []byte("\n")))
	for ; lines > 0; lines-- {
		if end = bytes.LastIndexByte(text[:end], '\n'); end < 0 {
			return -1
		}
	}
	return end + 1
}
