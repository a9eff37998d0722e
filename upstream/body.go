package upstream

import (
	"io"
	"sync"
	"time"
)

// body is a response body that ends with ErrTooLarge once it exceeds its limit,
// and with io.EOF once limit has seen enough. What it counts is inflated already.
type body struct {
	io.ReadCloser
	limit   meter // nil: everything fits
	over    bool  // limit has seen enough
	fail    *failure
	plain   func(error) error
	once    sync.Once
	release func()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.over {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if b.limit != nil {
		m, fits := b.limit.take(p[:n])
		if !fits {
			b.fail.set(ErrTooLarge)
			return 0, ErrTooLarge
		}
		if b.over = m < n; b.over && m == 0 {
			return 0, io.EOF
		}
		if b.over {
			return m, nil
		}
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

// meter takes the next bytes of a body: how many of them to pass on, the rest of
// the body being of no use if that is not all, and whether the limit holds.
type meter interface {
	take(p []byte) (n int, fits bool)
}

// byteMeter bounds a whole body to as many bytes.
type byteMeter int

func newByteMeter(limit int) *byteMeter {
	m := byteMeter(limit)
	return &m
}

func (m *byteMeter) take(p []byte) (int, bool) {
	*m -= byteMeter(len(p))
	return len(p), *m >= 0
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
