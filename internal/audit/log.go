package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"mcpproxy/internal/escape"
)

const (
	fileName = "audit.jsonl"
	fileMB   = 10        // of one file
	maxQueue = 1 << 16   // entries in memory; beyond it they are counted as lost
	batch    = 256 << 10 // bytes of one write
	pause    = 20 * time.Millisecond
)

// Options of [Open]. The zero value keeps 100 MB for 90 days.
type Options struct {
	MaxMB   int                      // of all files; 0 means 100
	MaxDays int                      // 0 means 90
	Redact  func(line string) string // takes secrets out of what is written; nil: nothing
	Failed  func(error)              // told when writing begins to fail; nil: nobody
	now     func() time.Time
}

// Log is the record of one data directory. Safe for concurrent use.
type Log struct {
	opt  Options
	path string
	file io.WriteCloser

	mu     sync.Mutex // never held over a write
	queue  []Entry
	seq    uint64
	lost   int
	grown  chan struct{} // closed and replaced when entries were written
	closed bool

	wake    chan struct{}
	quit    chan struct{}
	flush   chan chan struct{}
	done    chan struct{}
	failing atomic.Pointer[error] // why the last write failed; nil: it did not
}

// Open starts the record in dir, which is made 0700 if missing. What a crash left
// of a last line is ended, so that it spoils no other.
func Open(dir string, opt Options) (*Log, error) {
	if opt.MaxMB <= 0 {
		opt.MaxMB = 100
	}
	if opt.MaxDays <= 0 {
		opt.MaxDays = 90
	}
	if opt.now == nil {
		opt.now = time.Now
	}
	if opt.Failed == nil {
		opt.Failed = func(error) {}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	l := &Log{
		opt: opt, path: filepath.Join(dir, fileName),
		grown: make(chan struct{}), wake: make(chan struct{}, 1), quit: make(chan struct{}), flush: make(chan chan struct{}), done: make(chan struct{}),
	}
	if err := endLine(l.path); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	last, err := l.last()
	if err != nil {
		return nil, err
	}
	l.seq = last
	l.file = &lumberjack.Logger{Filename: l.path, MaxSize: min(fileMB, opt.MaxMB), MaxBackups: max(opt.MaxMB/fileMB-1, 1), MaxAge: opt.MaxDays}
	go l.write()
	return l, nil
}

// endLine ends a line that was cut in the middle.
func endLine(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], end-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.WriteAt([]byte("\n"), end)
	return err
}

// Record hands e over and returns at once; Seq is set here, and Time where it is
// zero. Entries of a closed Log are dropped.
func (l *Log) Record(e Entry) {
	if e.Time.IsZero() {
		e.Time = l.opt.now().UTC()
	}
	l.mu.Lock()
	switch {
	case l.closed:
	case len(l.queue) >= maxQueue:
		l.lost++
	default:
		l.seq++
		e.Seq = l.seq
		l.queue = append(l.queue, e)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Flush returns when everything recorded before is in the file, or could not be.
func (l *Log) Flush() {
	written := make(chan struct{})
	select {
	case l.flush <- written:
		<-written
	case <-l.done:
	}
}

// Close writes what is left and closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	l.mu.Unlock()
	if !again {
		close(l.quit)
	}
	<-l.done
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// write is the only writer. After the first entry of a batch it waits a moment
// for more, so that busy times cost few writes.
func (l *Log) write() {
	defer close(l.done)
	var due <-chan time.Time
	for {
		select {
		case <-l.wake:
			if due == nil {
				due = time.After(pause)
			}
		case <-due:
			due = nil
			l.drain()
		case written := <-l.flush:
			l.drain()
			close(written)
		case <-l.quit:
			l.drain()
			return
		}
	}
}

// drain writes what is queued, and last how much was lost before.
func (l *Log) drain() {
	l.mu.Lock()
	entries, lost := l.queue, l.lost
	l.queue, l.lost = nil, 0
	if lost > 0 {
		l.seq++
		entries = append(entries, Entry{Seq: l.seq, Time: l.opt.now().UTC(), What: Lost, Detail: fmt.Sprintf("%d entries", lost)})
	}
	l.mu.Unlock()
	if len(entries) == 0 {
		return
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	unwritten := 0
	for _, e := range entries {
		if err := enc.Encode(e); err != nil { // arguments that are no JSON
			e.Arguments = nil
			_ = enc.Encode(e)
		}
		if e.What == Lost {
			unwritten += lost
		} else {
			unwritten++
		}
		if buf.Len() >= batch {
			l.put(&buf, unwritten)
			unwritten = 0
		}
	}
	if buf.Len() > 0 {
		l.put(&buf, unwritten)
	}
	l.mu.Lock()
	close(l.grown)
	l.grown = make(chan struct{})
	l.mu.Unlock()
}

// put writes the n entries of buf and empties it. What cannot be written is
// counted, and the count is written once writing succeeds again.
func (l *Log) put(buf *bytes.Buffer, n int) {
	lines := buf.Bytes()
	if l.opt.Redact != nil {
		lines = []byte(l.opt.Redact(buf.String()))
	}
	_, err := l.file.Write(escape.JSON(lines)) // somebody will look at the file in a terminal
	buf.Reset()
	if err == nil {
		l.failing.Store(nil)
		return
	}
	l.mu.Lock()
	l.lost += n
	l.mu.Unlock()
	err = fmt.Errorf("audit: %w", err)
	if l.failing.Swap(&err) == nil {
		l.opt.Failed(err)
	}
}

// Failing returns why entries are being lost, nil while they are written.
func (l *Log) Failing() error {
	if err := l.failing.Load(); err != nil {
		return *err
	}
	return nil
}
