package proxy

import (
	"slices"
	"sync"
)

// Bounds of what one session keeps for its GET stream.
const (
	maxEvents     = 128
	maxEventBytes = 128 << 10
)

// event is one message of a stream. Its number is its SSE id.
type event struct {
	number uint64
	kind   string
	frame  []byte
}

// stream holds the messages that belong to no call: they wait for the client's
// GET and stay for its resumption, the oldest falling out first. Of several
// GETs the newest gets them: the others are often dead without knowing it.
type stream struct {
	mu     sync.Mutex
	events []event // oldest first, numbers without gaps
	bytes  int
	last   uint64 // number of the newest event
	sent   uint64 // number of the newest event handed to a connection
	conns  []uint64
	opened uint64 // connections so far
	closed bool
	wake   chan struct{} // closed and replaced when something changed
}

func newStream() *stream { return &stream{wake: make(chan struct{})} }

// publish adds a message. One that waits already with the same kind, unless the
// kind is empty, stands for it.
func (s *stream) publish(kind string, frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(frame) > maxEventBytes || kind != "" && s.waits(kind) {
		return
	}
	s.last++
	s.events = append(s.events, event{s.last, kind, frame})
	s.bytes += len(frame)
	for len(s.events) > maxEvents || s.bytes > maxEventBytes {
		s.bytes -= len(s.events[0].frame)
		s.events[0].frame = nil
		s.events = s.events[1:]
	}
	s.signal()
}

func (s *stream) waits(kind string) bool {
	for _, e := range s.events {
		if e.number > s.sent && e.kind == kind {
			return true
		}
	}
	return false
}

func (s *stream) signal() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// take returns the oldest message that no connection got yet, if conn is the
// newest one. Without a message, wake is closed when it is worth asking again;
// open is false after close.
func (s *stream) take(conn uint64) (e event, ok bool, wake <-chan struct{}, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := len(s.conns) > 0 && s.conns[len(s.conns)-1] == conn
	for _, e := range s.events {
		if newest && e.number > s.sent {
			s.sent = e.number
			return e, true, nil, true
		}
	}
	return event{}, false, s.wake, !s.closed
}

// after returns the kept messages that were sent after number.
func (s *stream) after(number uint64) []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missed []event
	for _, e := range s.events {
		if e.number > number && e.number <= s.sent {
			missed = append(missed, e)
		}
	}
	return missed
}

// giveBack makes e and what follows wait again: its connection broke.
func (s *stream) giveBack(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.number > 0 && s.sent >= e.number {
		s.sent = e.number - 1
		s.signal()
	}
}

// attach adds a connection and returns its number.
func (s *stream) attach() (conn uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	s.conns = append(s.conns, s.opened)
	return s.opened
}

func (s *stream) detach(conn uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(c uint64) bool { return c == conn })
	s.signal() // the next newest takes over
}

func (s *stream) attached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0
}

// listening reports whether the client ever opened the stream: for one that
// never did, nothing but changes of the menu is kept.
func (s *stream) listening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened > 0
}

func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.signal()
	}
}
