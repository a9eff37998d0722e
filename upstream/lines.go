package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// lineReader passes on r until a line exceeds max bytes. Its own end is always
// io.EOF, because mcp-go would print anything else; cause says why.
type lineReader struct {
	r     io.Reader
	max   int
	run   int           // bytes since the last newline
	ended chan struct{} // closed at the first EOF
	once  sync.Once
	cause error // written before ended is closed; nil at the child's own end
}

func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{r: r, max: limit, ended: make(chan struct{})}
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (int, error) {
	select {
	case <-l.ended:
		return 0, io.EOF
	default:
	}
	n, err := l.r.Read(p)
	if l.tooLong(p[:n]) {
		return 0, l.end(fmt.Errorf("wrote one line to its stdout: %w", ErrTooLarge))
	}
	if err != nil {
		return n, l.end(nil)
	}
	return n, nil
}

// tooLong counts p and reports whether a line is over the limit.
func (l *lineReader) tooLong(p []byte) bool {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.run += len(p)
			return l.run > l.max
		}
		if l.run+i > l.max {
			return true
		}
		l.run = 0
		p = p[i+1:]
	}
	return false
}

func (l *lineReader) end(cause error) error {
	l.once.Do(func() {
		l.cause = cause
		close(l.ended)
	})
	return io.EOF
}

// Errors of an inputQueue.
var (
	errInputClosed = errors.New("its stdin is closed")
	errInputFull   = errors.New("it does not read its stdin")
)

// inputQueue writes to a child's stdin from a goroutine of its own, so that a
// child that reads nothing cannot hold a caller beyond its deadline.
type inputQueue struct {
	w       io.WriteCloser
	max     int           // bytes that may wait, one message of any size aside
	wake    chan struct{} // capacity 1
	stopped chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	waiting [][]byte
	size    int
	closed  bool
	err     error // of w
}

// newInputQueue starts the goroutine; it ends after Close and abort.
func newInputQueue(w io.WriteCloser, limit int) *inputQueue {
	q := &inputQueue{w: w, max: limit, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go q.run()
	return q
}

// Write queues a copy of p. It never blocks.
func (q *inputQueue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
		return 0, q.err
	case q.closed:
		return 0, errInputClosed
	case q.size > 0 && q.size+len(p) > q.max:
		return 0, errInputFull
	}
	q.waiting = append(q.waiting, bytes.Clone(p))
	q.size += len(p)
	q.signal()
	return len(p), nil
}

// Close lets the child see the end of its input after what waits is written.
func (q *inputQueue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
	return nil
}

// abort ends the goroutine now, even in the middle of a write.
func (q *inputQueue) abort() {
	_ = q.Close()
	_ = q.w.Close()
	<-q.stopped
}

func (q *inputQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *inputQueue) run() {
	defer close(q.stopped)
	defer q.w.Close()
	for range q.wake {
		for {
			batch, closed := q.take()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			if !q.write(batch) {
				return
			}
		}
	}
}

func (q *inputQueue) take() ([][]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.waiting
	q.waiting = nil
	return batch, q.closed
}

// write writes batch and reports whether w still takes input.
func (q *inputQueue) write(batch [][]byte) bool {
	for _, p := range batch {
		_, err := q.w.Write(p)
		q.mu.Lock()
		q.size -= len(p)
		if err != nil {
			q.err, q.waiting = errInputClosed, nil
		}
		q.mu.Unlock()
		if err != nil {
			return false
		}
	}
	return true
}
