package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
)

const (
	drainTime = 500 * time.Millisecond // for answers that were sent before the connection broke
	stuckTime = time.Second            // for a transport to notice that a request was given up
	closeTime = 10 * time.Second       // for the transport to close
)

var (
	// errNotSent reports that the session closed before the request went out.
	errNotSent = errors.New("not sent")
	// errStuck is the loss of a server that does not take its input.
	errStuck = fmt.Errorf("%w: the server does not read its input", ErrLost)
	// errStopped is the loss of a session that the pool itself ended.
	errStopped = fmt.Errorf("%w: the server was stopped", ErrLost)
)

// session is one connection with JSON-RPC on it. Safe for concurrent use.
type session struct {
	conn   *Conn
	events events
	safe   func(string) string // a text without secrets

	protocol  string                     // negotiated revision
	version   string                     // the server's own name and version
	transport string                     // in use, which may be the fallback
	offers    map[string]json.RawMessage // the server's capabilities
	advice    json.RawMessage            // its instructions, a JSON string as sent; nil: none
	since     time.Time                  // when the handshake ended

	fresh    freshness // of the tools
	current  freshness // of everything else
	ids      atomic.Int64
	answered atomic.Bool // a call was answered

	gone  chan struct{} // closed by fail: no use in sending more
	ended chan struct{} // closed by close: the requests under way end too

	mu       sync.Mutex
	lost     error // why gone is closed
	closed   bool
	progress map[int64]func(json.RawMessage) // one entry per request under way
	drained  chan struct{}
	wg       sync.WaitGroup // requests, notifications and the watcher
}

// events are what a session tells its owner. They must not block.
type events struct {
	changed func()                                      // tools/list_changed
	others  func()                                      // prompts/list_changed or resources/list_changed
	notify  func(method string, params json.RawMessage) // any other notification
}

// newSession takes over conn. The caller must close the session.
func newSession(conn *Conn, ev events) *session {
	s := &session{conn: conn, events: ev, progress: map[int64]func(json.RawMessage){},
		gone: make(chan struct{}), ended: make(chan struct{}), drained: make(chan struct{})}
	conn.SetNotificationHandler(s.onNotification)
	if b, ok := conn.Interface.(transport.BidirectionalInterface); ok {
		b.SetRequestHandler(onRequest)
	}
	s.wg.Go(s.watch)
	return s
}

// watch turns the end of the connection into fail.
func (s *session) watch() {
	select {
	case <-s.conn.Done:
	case <-s.ended:
		return
	}
	err := ErrLost
	if s.conn.Err != nil {
		if cause := s.conn.Err(); cause != nil {
			err = fmt.Errorf("%w: %w", ErrLost, plain(cause))
		}
	}
	s.fail(err)
}

// fail marks the session as lost because of err; the first one counts.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == nil {
		s.lost = err
		close(s.gone)
	}
}

// loss returns why the session is lost, or nil.
func (s *session) loss() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// close, called once, ends the session and waits for all that it started. Requests under way
// on a connection that broke get a moment to find their answers.
func (s *session) close() error {
	s.mu.Lock()
	s.closed = true
	broke := s.lost != nil
	busy := len(s.progress) > 0
	s.mu.Unlock()
	s.fail(errStopped)
	if broke && busy {
		s.awaitAnswers()
	}
	close(s.ended)
	idle := make(chan struct{})
	closed := make(chan error, 1)
	go func() {
		closed <- s.conn.Close()
		s.wg.Wait()
		close(idle)
	}()
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-idle:
		return <-closed
	case <-timer.C:
		return fmt.Errorf("did not close within %s", closeTime)
	}
}

// awaitAnswers waits until no request is under way, at most drainTime.
func (s *session) awaitAnswers() {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-s.drained:
	case <-timer.C:
	}
}

// begin registers a request that may report progress. It returns errNotSent
// once the connection has ended.
func (s *session) begin(id int64, progress func(json.RawMessage)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || isClosed(s.conn.Done) {
		return errNotSent
	}
	s.progress[id] = progress
	s.wg.Add(1)
	return nil
}

// end forgets a request. The last one to end on a closing session closes
// drained.
func (s *session) end(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.progress, id)
	if s.closed && len(s.progress) == 0 {
		close(s.drained)
	}
}

// background runs f unless the session is closing; close waits for it.
func (s *session) background(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wg.Go(f)
	}
}
