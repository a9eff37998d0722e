package upstream

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// maxEventLines is how many lines one event of a stream may have: mcp-go joins
// them in quadratic time.
const maxEventLines = 4096

// body is a response body that ends with ErrTooLarge once fits says no. What it
// counts is inflated already.
type body struct {
	io.ReadCloser
	fits    func(p []byte) bool // nil: everything fits
	fail    *failure
	plain   func(error) error
	once    sync.Once
	release func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.fits != nil && !b.fits(p[:n]) {
		b.fail.set(ErrTooLarge)
		return 0, ErrTooLarge
	}
	if err != nil && err != io.EOF { //nolint:errorlint // io.EOF itself is the contract
		err = b.plain(err)
		b.fail.set(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.release)
	return err
}

// byteMeter bounds a whole body.
type byteMeter struct{ left int }

func newByteMeter(limit int) *byteMeter { return &byteMeter{left: limit} }

func (m *byteMeter) fits(p []byte) bool {
	m.left -= len(p)
	return m.left >= 0
}

// eventMeter bounds each event of an event stream, which an empty line ends.
type eventMeter struct {
	size  int // bytes of the event
	lines int // of the event
	line  int // bytes of the line, carriage returns aside
}

func (m *eventMeter) fits(p []byte) bool {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		part, rest := p, []byte(nil)
		if i >= 0 {
			part, rest = p[:i], p[i+1:]
		}
		m.size += len(part)
		m.line += len(part) - bytes.Count(part, []byte{'\r'})
		if m.size > maxMessage {
			return false
		}
		if i < 0 {
			return true
		}
		if m.lines++; m.line == 0 {
			m.size, m.lines = 0, 0
		}
		m.line = 0
		if m.lines > maxEventLines {
			return false
		}
		p = rest
	}
	return true
}

// openBodies counts the responses whose body is open.
type openBodies struct {
	mu     sync.Mutex
	n      int
	closed bool
	empty  chan struct{} // made by shut, closed when n is 0
}

// open reports whether another response is allowed, and counts it.
func (o *openBodies) open() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.n++
	}
	return !o.closed
}

func (o *openBodies) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n--; o.n == 0 && o.closed {
		close(o.empty)
	}
}

// shut allows no more and waits at most d for the open ones.
func (o *openBodies) shut(d time.Duration) {
	o.mu.Lock()
	if !o.closed {
		o.closed, o.empty = true, make(chan struct{})
		if o.n == 0 {
			close(o.empty)
		}
	}
	empty := o.empty
	o.mu.Unlock()
	waitFor(empty, d)
}
