package proxy

import (
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	maxInFlight = 64             // calls of one session at a time
	maxSessions = 4096           // more than that evicts the longest idle
	sessionTTL  = 24 * time.Hour // an IDE keeps its session over a night
)

var errNoSession = errors.New("unknown session")

// session is one client from initialize to DELETE.
type session struct {
	id       string
	inFlight atomic.Int32
	seen     atomic.Int64 // Unix seconds
	level    atomic.Value // string; of logging/setLevel
	stream   *stream
	shown    shown
}

// enter counts a call in and reports whether the session may make it. leave
// must follow if it may. A nil session (2026-07-28 has none) always may.
func (s *session) enter() bool {
	if s == nil {
		return true
	}
	if s.inFlight.Add(1) > maxInFlight {
		s.inFlight.Add(-1)
		return false
	}
	return true
}

func (s *session) leave() {
	if s != nil {
		s.inFlight.Add(-1)
	}
}

// logLevel is warning until the client says otherwise.
func (s *session) logLevel() mcp.LoggingLevel {
	if level, ok := s.level.Load().(string); ok {
		return mcp.LoggingLevel(level)
	}
	return mcp.LoggingLevelWarning
}

func (s *session) busy() bool { return s.inFlight.Load() > 0 || s.stream.attached() }

// sessions is the table of sessions and mcp-go's session id manager.
type sessions struct {
	mu   sync.RWMutex
	byID map[string]*session
	now  func() time.Time
}

func newSessions() *sessions {
	return &sessions{byID: map[string]*session{}, now: time.Now}
}

// Generate implements server.SessionIdManager: it opens a session.
func (t *sessions) Generate() string {
	s := &session{id: rand.Text(), stream: newStream()}
	s.seen.Store(t.now().Unix())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.evict()
	t.byID[s.id] = s
	return s.id
}

// evict drops sessions that nobody used for long, and the longest idle one
// where there are too many.
func (t *sessions) evict() {
	expired := t.now().Add(-sessionTTL).Unix()
	var oldest *session
	for id, s := range t.byID {
		if s.busy() {
			continue
		}
		if s.seen.Load() < expired {
			delete(t.byID, id)
			continue
		}
		if oldest == nil || s.seen.Load() < oldest.seen.Load() {
			oldest = s
		}
	}
	if len(t.byID) >= maxSessions && oldest != nil {
		delete(t.byID, oldest.id)
	}
}

// Validate implements server.SessionIdManager.
func (t *sessions) Validate(id string) (terminated bool, err error) {
	if t.find(id) == nil {
		return false, errNoSession
	}
	return false, nil
}

// Terminate implements server.SessionIdManager. mcp-go calls it for sessions
// that are idle in its own view too, so it ends nothing; drop does.
func (t *sessions) Terminate(string) (notAllowed bool, err error) { return false, nil }

// find returns the session and marks it as used, nil if there is none.
func (t *sessions) find(id string) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.byID[id]
	if s != nil {
		s.seen.Store(t.now().Unix())
	}
	return s
}

// drop ends a session and its streams.
func (t *sessions) drop(id string) {
	t.mu.Lock()
	s := t.byID[id]
	delete(t.byID, id)
	t.mu.Unlock()
	if s != nil {
		s.stream.close()
	}
}

func (t *sessions) each(do func(*session)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.byID {
		do(s)
	}
}
