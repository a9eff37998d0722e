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

// The caps of one listing of one kind. A server beyond them is broken or hostile.
const (
	maxPages     = 1000
	maxTools     = 50_000
	maxListBytes = 64 << 20
)

// listing is all that a server lists of one kind, or of several. Immutable.
type listing struct {
	tools []tool.Tool // in the server's order
	index map[tool.ID]entry
	note  string // what was skipped; empty if nothing
}

type entry struct {
	at   int
	hash func() tool.Hash // of tools[at], computed at most once
}

// source is where a server lists one kind.
type source struct {
	kind           tool.Kind
	method, member string
	plural         string
}

var (
	toolSource = source{"", "tools/list", "tools", "tools"}
	// otherSources are the lists besides tools, each with the capability that
	// announces it.
	otherSources = []struct {
		capability string
		source
	}{
		{"prompts", source{tool.Prompt, "prompts/list", "prompts", "prompts"}},
		{"resources", source{tool.Resource, "resources/list", "resources", "resources"}},
		{"resources", source{tool.Template, "resources/templates/list", "resourceTemplates", "resource templates"}},
	}
)

// list reads all pages of the tools, for at most limit. The error wraps
// ErrListCap if the server's listing does not end within the caps.
func (s *session) list(ctx context.Context, server string, limit time.Duration) (*listing, error) {
	l := newLister(server, toolSource)
	if !s.has("tools") {
		return l.done(), nil
	}
	if err := s.pages(ctx, l, limit); err != nil {
		return nil, err
	}
	return l.done(), nil
}

// pages fills l.
func (s *session) pages(ctx context.Context, l *lister, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w: not complete within %s", ErrListCap, limit))
	defer cancel()
	for {
		raw, err := s.ask(ctx, l.from.method, l.params())
		if err != nil {
			return fmt.Errorf("%s: %w", l.from.method, err)
		}
		more, err := l.add(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", l.from.method, err)
		}
		if !more {
			return nil
		}
	}
}

// lister collects the pages of one listing.
type lister struct {
	server     string
	from       source
	out        listing
	cursor     string
	seen       map[string]struct{}
	pages      int
	bytes      int
	bad, twice int
	why        error // of the first bad definition
}

func newLister(server string, from source) *lister {
	return &lister{server: server, from: from, out: listing{index: map[tool.ID]entry{}}, seen: map[string]struct{}{}}
}

func (l *lister) params() any {
	if l.cursor == "" {
		return struct{}{}
	}
	return map[string]string{"cursor": l.cursor}
}

// add takes the result of one page and reports whether another follows.
func (l *lister) add(raw json.RawMessage) (more bool, err error) {
	defs, next, err := readPage(raw, l.from.member)
	if err != nil {
		return false, err
	}
	l.pages++
	l.bytes += len(raw)
	switch {
	case len(l.out.tools)+len(defs)+l.bad+l.twice > maxTools:
		return false, fmt.Errorf("%w: more than %d %s", ErrListCap, maxTools, l.from.plural)
	case l.bytes > maxListBytes:
		return false, fmt.Errorf("%w: more than %d MiB", ErrListCap, maxListBytes>>20)
	}
	for _, def := range defs {
		l.take(def)
	}
	if next == "" {
		return false, nil
	}
	l.cursor = next
	if _, again := l.seen[l.cursor]; again {
		return false, fmt.Errorf("%w: the same cursor came twice", ErrListCap)
	}
	l.seen[l.cursor] = struct{}{}
	if l.pages == maxPages {
		return false, fmt.Errorf("%w: more than %d pages", ErrListCap, maxPages)
	}
	return true, nil
}

// readPage returns the definitions of one page, each a copy, and the cursor of the
// next one.
func readPage(raw json.RawMessage, member string) (defs []json.RawMessage, next string, err error) {
	var page map[string]json.RawMessage
	err = json.Unmarshal(raw, &page)
	if err == nil && len(page[member]) > 0 {
		err = json.Unmarshal(page[member], &defs)
	}
	if cursor := page["nextCursor"]; err == nil && len(cursor) > 0 {
		err = json.Unmarshal(cursor, &next)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the answer is no list of %s: %w", member, err)
	}
	return defs, next, nil
}

// take adds one definition. Of two with one name the first stays. One that says a
// key twice shows a reviewer less than a model reads, and is none.
func (l *lister) take(def json.RawMessage) {
	t, err := tool.DecodeAs(l.from.kind, l.server, def)
	if err == nil {
		err = tool.Plain(def)
	}
	if err != nil {
		if l.bad++; l.why == nil {
			l.why = err
		}
		return
	}
	if !l.out.add(t) {
		l.twice++
	}
}

// add appends t unless something of its kind has its name.
func (l *listing) add(t tool.Tool) bool {
	if _, taken := l.index[t.ID]; taken {
		return false
	}
	l.index[t.ID] = entry{at: len(l.tools), hash: sync.OnceValue(t.Hash)}
	l.tools = append(l.tools, t)
	return true
}

func (l *lister) done() *listing {
	out := l.out
	switch {
	case l.bad > 0 && l.twice > 0:
		out.note = fmt.Sprintf("%d unreadable definitions (%v) and %d duplicate names skipped", l.bad, l.why, l.twice)
	case l.bad > 0:
		out.note = fmt.Sprintf("%d unreadable definitions skipped: %v", l.bad, l.why)
	case l.twice > 0:
		out.note = fmt.Sprintf("%d definitions with a name that another of the %s of this server has skipped", l.twice, l.from.plural)
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
		e, ok := o.index[t.ID]
		if !ok || !bytes.Equal(t.Raw, o.tools[e.at].Raw) {
			return false
		}
	}
	return true
}

// check returns nil if the listing holds id with hash want; a zero want fits
// every definition, listed or not.
func (l *listing) check(id tool.ID, want tool.Hash) error {
	if want.IsZero() {
		return nil
	}
	if l != nil {
		if e, ok := l.index[id]; ok && e.hash() == want {
			return nil
		}
	}
	return ErrChanged
}
