package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"mcpproxy/internal/tool"
)

// The caps of one listing. A server beyond them is broken or hostile.
const (
	maxPages     = 1000
	maxTools     = 50_000
	maxListBytes = 64 << 20
)

// listing is one complete tools/list. Immutable.
type listing struct {
	tools []tool.Tool // in the server's order
	index map[string]entry
	note  string // what was skipped; empty if nothing
}

type entry struct {
	at   int
	hash func() tool.Hash // of tools[at], computed at most once
}

// list reads all pages, for at most limit. The error wraps ErrListCap if the
// server's listing does not end within the caps.
func (s *session) list(ctx context.Context, server string, limit time.Duration) (*listing, error) {
	l := newLister(server)
	if !s.hasTools {
		return l.done(), nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w: not complete within %s", ErrListCap, limit))
	defer cancel()
	for {
		raw, err := s.ask(ctx, "tools/list", l.params())
		if err != nil {
			return nil, fmt.Errorf("tools/list: %w", err)
		}
		more, err := l.add(raw)
		if err != nil {
			return nil, fmt.Errorf("tools/list: %w", err)
		}
		if !more {
			return l.done(), nil
		}
	}
}

// lister collects the pages of one listing.
type lister struct {
	server     string
	out        listing
	cursor     string
	seen       map[string]struct{}
	pages      int
	bytes      int
	bad, twice int
	why        error // of the first bad definition
}

func newLister(server string) *lister {
	return &lister{server: server, out: listing{index: map[string]entry{}}, seen: map[string]struct{}{}}
}

func (l *lister) params() any {
	if l.cursor == "" {
		return struct{}{}
	}
	return map[string]string{"cursor": l.cursor}
}

// add takes the result of one page and reports whether another follows.
func (l *lister) add(raw json.RawMessage) (more bool, err error) {
	var page struct {
		Tools      []json.RawMessage `json:"tools"` // each a copy: raw is not kept
		NextCursor *string           `json:"nextCursor"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return false, fmt.Errorf("the answer is not a ListToolsResult: %w", err)
	}
	l.pages++
	l.bytes += len(raw)
	switch {
	case len(l.out.tools)+len(page.Tools)+l.bad+l.twice > maxTools:
		return false, fmt.Errorf("%w: more than %d tools", ErrListCap, maxTools)
	case l.bytes > maxListBytes:
		return false, fmt.Errorf("%w: more than %d MiB", ErrListCap, maxListBytes>>20)
	}
	for _, def := range page.Tools {
		l.take(def)
	}
	if page.NextCursor == nil || *page.NextCursor == "" {
		return false, nil
	}
	l.cursor = *page.NextCursor
	if _, again := l.seen[l.cursor]; again {
		return false, fmt.Errorf("%w: the same cursor came twice", ErrListCap)
	}
	l.seen[l.cursor] = struct{}{}
	if l.pages == maxPages {
		return false, fmt.Errorf("%w: more than %d pages", ErrListCap, maxPages)
	}
	return true, nil
}

// take adds one definition. Of two with one name the first stays.
func (l *lister) take(def json.RawMessage) {
	t, err := tool.Decode(l.server, def)
	if err != nil {
		if l.bad++; l.why == nil {
			l.why = err
		}
		return
	}
	if _, taken := l.out.index[t.ID.Name]; taken {
		l.twice++
		return
	}
	l.out.index[t.ID.Name] = entry{at: len(l.out.tools), hash: sync.OnceValue(t.Hash)}
	l.out.tools = append(l.out.tools, t)
}

func (l *lister) done() *listing {
	out := l.out
	switch {
	case l.bad > 0 && l.twice > 0:
		out.note = fmt.Sprintf("%d unreadable definitions (%v) and %d duplicate names skipped", l.bad, l.why, l.twice)
	case l.bad > 0:
		out.note = fmt.Sprintf("%d unreadable definitions skipped: %v", l.bad, l.why)
	case l.twice > 0:
		out.note = fmt.Sprintf("%d definitions with a name that another tool of this server has skipped", l.twice)
	}
	return &out
}

// same reports whether both listings hold the same definitions, byte for byte,
// in any order.
func (l *listing) same(o *listing) bool {
	if l == nil || o == nil {
		return l == o
	}
	if len(l.tools) != len(o.tools) {
		return false
	}
	for _, t := range l.tools {
		e, ok := o.index[t.ID.Name]
		if !ok || !bytes.Equal(t.Raw, o.tools[e.at].Raw) {
			return false
		}
	}
	return true
}

// check returns nil if the listing holds name with hash want; a zero want
// fits every tool, listed or not.
func (l *listing) check(name string, want tool.Hash) error {
	if want.IsZero() {
		return nil
	}
	if l != nil {
		if e, ok := l.index[name]; ok && e.hash() == want {
			return nil
		}
	}
	return ErrChanged
}
