package oauth

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// token is one access token with its refresh token. Immutable. Its times carry
// a monotonic reading while the program runs: a clock that is set does not make
// it expire.
type token struct {
	Access   string    `json:"access"`
	Refresh  string    `json:"refresh,omitempty"`
	Scope    string    `json:"scope,omitempty"` // granted, or asked for where the server did not say
	Obtained time.Time `json:"obtained"`
	Expires  time.Time `json:"expires,omitzero"` // zero: unknown

	renew time.Time // from when on it is refreshed; zero: never
}

// maxLife bounds what a server says of a token's life.
const maxLife = 400 * 24 * time.Hour

func newToken(access, refresh, scope string, seconds float64) *token {
	t := &token{Access: access, Refresh: refresh, Scope: scope, Obtained: time.Now()}
	if seconds > 0 {
		life := maxLife
		if seconds < maxLife.Seconds() {
			life = time.Duration(seconds * float64(time.Second))
		}
		t.Expires = t.Obtained.Add(life)
	}
	t.plan()
	return t
}

// plan sets when to refresh: at 80 % of the life, a little earlier by chance, so
// that tokens of one hour do not come due together.
func (t *token) plan() {
	if t.Expires.IsZero() || t.Refresh == "" {
		return
	}
	life := t.Expires.Sub(t.Obtained)
	t.renew = t.Obtained.Add(time.Duration(float64(life) * (0.8 - 0.05*rand.Float64()))) //nolint:gosec // spreads load, guards nothing
}

// restored gives a token that was read from disk its place on the monotonic
// clock: it never lives longer than it was given.
func (t *token) restored() *token {
	r, now := *t, time.Now()
	if !t.Expires.IsZero() {
		life := t.Expires.Sub(t.Obtained)
		left := min(t.Expires.Sub(now), life)
		r.Expires = now.Add(left)
		r.Obtained = r.Expires.Add(-life)
	}
	r.plan()
	return &r
}

func (t *token) expired() bool { return !t.Expires.IsZero() && !time.Now().Before(t.Expires) }
func (t *token) due() bool     { return !t.renew.IsZero() && !time.Now().Before(t.renew) }

// fresh reports whether the token is too young for a server to refuse it for its
// age, so that a refresh would bring nothing better.
func (t *token) fresh() bool {
	young := 30 * time.Second
	if !t.Expires.IsZero() {
		young = min(young, t.Expires.Sub(t.Obtained)/2)
	}
	return time.Since(t.Obtained) < young
}

// union returns the scopes of all lists, each once, in order.
func union(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		for _, s := range list {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// scopesOf splits a scope parameter. What is no scope-token (RFC 6749, section
// 3.3) is dropped: it is foreign text.
func scopesOf(text string) []string {
	return slices.DeleteFunc(strings.Fields(text), func(s string) bool { return !isScope(s) })
}

func isScope(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// beyond returns the scopes of got that are not in asked.
func beyond(got, asked []string) []string {
	return slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(asked, s) })
}
