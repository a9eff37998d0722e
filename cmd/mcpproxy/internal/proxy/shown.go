package proxy

import (
	"context"
	"encoding/json"
	"sync"

	"mcpproxy/internal/tool"
)

// maxShown bounds what is kept of one session; beyond it that starts anew.
const maxShown = 4096

// shown is what one session knows: which text of each tool it was shown last,
// and which servers it called. The zero value is ready to use.
type shown struct {
	mu     sync.Mutex
	texts  map[tool.ID]tool.Hash
	called map[string]bool
}

// note keeps that the hits' definitions go to the client. An id alone is no
// definition.
func (s *shown) note(hits []found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil || len(s.texts) > maxShown {
		s.texts = map[tool.ID]tool.Hash{}
	}
	for _, f := range hits {
		if f.form != nameOnly {
			s.texts[f.def.tool.ID] = f.def.hash
		}
	}
}

// outdated reports whether the client was last shown another text than h.
func (s *shown) outdated(id tool.ID, h tool.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known := s.texts[id]
	return known && last != h
}

// first reports whether the client calls the server for the first time.
func (s *shown) first(server string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.called[server] {
		return false
	}
	if s.called == nil || len(s.called) > maxShown {
		s.called = map[string]bool{}
	}
	s.called[server] = true
	return true
}

// shownTo returns what the client of ctx knows, nil for one without a session.
func shownTo(ctx context.Context) *shown {
	if r := replyFrom(ctx); r != nil && r.session != nil {
		return &r.session.shown
	}
	return nil
}

// remember notes the hits of an answer.
func (p *Proxy) remember(ctx context.Context, hits []found) {
	if s := shownTo(ctx); s != nil {
		s.note(hits)
	}
}

// stale refuses a call of a tool whose text the client does not know: it was
// shown another one, and a person approved this one since. nil lets it pass.
func (p *Proxy) stale(ctx context.Context, d *definition) json.RawMessage {
	if s := shownTo(ctx); s != nil && s.outdated(d.tool.ID, d.hash) {
		return failuref("look at it again with retrieve_tools, then call", "%s is not what you were shown: its definition changed and the user approved that since.", d.tool.ID)
	}
	return nil
}

// greet has a server listed beside the first call that a session makes to it, so
// that a change which the server keeps silent about is found.
func (p *Proxy) greet(ctx context.Context, server string) {
	if s := shownTo(ctx); s != nil && p.opt.Relist != nil && s.first(server) {
		p.opt.Relist(server)
	}
}
