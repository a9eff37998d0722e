package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"
)

// The limits of what a browser may be given.
const (
	linkLife    = 5 * time.Minute
	sessionIdle = 12 * time.Hour
	maxLinks    = 16 // that nobody used yet; the oldest goes first
	maxSessions = 64 // the one that was idle longest goes first
)

// sessions knows the one-time links that were given out and the browsers that
// logged in with one. Everything is in memory: a restart logs all of them out.
// Tokens have 256 bit; the tables hold their SHA-256 alone, so that the time of
// a lookup tells nothing. Safe for concurrent use.
type sessions struct {
	now func() time.Time

	mu       sync.Mutex
	links    map[digest]*link
	browsers map[digest]*browserSession
}

type digest [sha256.Size]byte

type link struct{ expires time.Time }

// browserSession is one browser that logged in. Its CSRF token is worth nothing
// without its cookie.
type browserSession struct {
	csrf string
	used time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, links: map[digest]*link{}, browsers: map[digest]*browserSession{}}
}

// offer makes a token that logs one browser in, once, until expires.
func (s *sessions) offer() (token string, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	makeRoom(s.links, maxLinks, func(l *link) time.Time { return l.expires })
	token, expires = newToken(), s.now().Add(linkLife)
	s.links[digestOf(token)] = &link{expires: expires}
	return token, expires
}

// redeem turns a one-time token into a session: the value of its cookie and its
// CSRF token. A session that the same browser had before ends.
func (s *sessions) redeem(token, before string) (cookie, csrf string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	key := digestOf(token)
	if _, ok := s.links[key]; !ok {
		return "", "", false
	}
	delete(s.links, key)
	delete(s.browsers, digestOf(before))
	makeRoom(s.browsers, maxSessions, func(b *browserSession) time.Time { return b.used })
	cookie, csrf = newToken(), newToken()
	s.browsers[digestOf(cookie)] = &browserSession{csrf: csrf, used: s.now()}
	return cookie, csrf, true
}

// find returns the CSRF token of the session that the cookie names, which counts
// as a use of it.
func (s *sessions) find(cookie string) (csrf string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	b, ok := s.browsers[digestOf(cookie)]
	if !ok {
		return "", false
	}
	b.used = s.now()
	return b.csrf, true
}

// alive reports whether the cookie names a session, without using it.
func (s *sessions) alive(cookie string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	_, ok := s.browsers[digestOf(cookie)]
	return ok
}

func (s *sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.browsers, digestOf(cookie))
}

// expire forgets what is too old. The caller holds mu.
func (s *sessions) expire() {
	now := s.now()
	for key, l := range s.links {
		if !now.Before(l.expires) {
			delete(s.links, key)
		}
	}
	for key, b := range s.browsers {
		if now.Sub(b.used) >= sessionIdle {
			delete(s.browsers, key)
		}
	}
}

// makeRoom removes the entry whose moment is the earliest if there are already
// most of them.
func makeRoom[V any](table map[digest]V, most int, moment func(V) time.Time) {
	if len(table) < most {
		return
	}
	var oldest digest
	first := true
	for key, v := range table {
		if first || moment(v).Before(moment(table[oldest])) {
			oldest, first = key, false
		}
	}
	delete(table, oldest)
}

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

func newToken() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// sameToken compares in constant time; nothing equals an empty token.
func sameToken(given, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}
