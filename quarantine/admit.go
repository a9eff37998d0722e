package quarantine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// maxName bounds a tool name in bytes; it is a part of keys in the database.
const maxName = 512

// sift drops what has no identity of its own: every repetition of a name, names
// over maxName bytes, and tools of other servers. The first of a name stays. It
// returns a new slice.
func sift(server string, tools []tool.Tool) []tool.Tool {
	seen := make(map[string]bool, len(tools))
	kept := make([]tool.Tool, 0, len(tools))
	for _, t := range tools {
		if name := t.ID.Name; !seen[name] && len(name) <= maxName && t.ID.Server == server {
			seen[name] = true
			kept = append(kept, t)
		}
	}
	return kept
}

// Admit compares the complete listing of a server with what was approved. It
// returns the tools that may serve, in the order listed, and those that wait.
// All tools of a held server wait. Of equal names the first counts and the rest
// is ignored, and so are names over 512 bytes.
//
// What a restart must know is on disk when Admit returns, in one transaction;
// a listing that changes nothing writes nothing. If it cannot be written Admit
// admits nothing and returns the error, and tools that were listed differently
// are held all the same. The slices are the caller's.
func (g *Gate) Admit(ctx context.Context, server string, tools []tool.Tool) (admitted []tool.Tool, held []Record, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	tools = sift(server, tools)
	hashes := make([]tool.Hash, len(tools)) // outside the turn: it is most of the work
	for i, t := range tools {
		hashes[i] = t.Hash()
	}
	defer g.turn(server)()
	s := g.server(server)
	if !s.serves() {
		return nil, s.records(tools, hashes), nil
	}
	c := s.compare(server, tools, hashes)
	next := s.clone()
	if err := g.ledger.commit(c); err != nil {
		next.distrust(c)
		g.publish(server, next)
		return nil, nil, fmt.Errorf("server %q: listing not recorded: %w", server, err)
	}
	if !c.empty() {
		next.apply(c)
		if c.record != nil {
			next.rec = *c.record
		}
		g.publish(server, next)
	}
	for i, t := range tools {
		if p := next.pins[t.ID.Name]; p.serves(hashes[i]) {
			admitted = append(admitted, t)
		} else {
			held = append(held, Record{Tool: t, Hash: hashes[i], State: p.state(hashes[i])})
		}
	}
	return admitted, held, nil
}

// compare returns what a listing of an approved server changes.
func (s *serverView) compare(server string, tools []tool.Tool, hashes []tool.Hash) *changes {
	c := &changes{server: server, approve: map[string]definition{}, hold: map[string]definition{}}
	trusted := s.rec.Trust == trustListing
	if trusted {
		rec := s.rec
		rec.Trust = trustOver
		c.record = &rec
	}
	listed := make(map[string]bool, len(tools))
	for i, t := range tools {
		name, h := t.ID.Name, hashes[i]
		listed[name] = true
		p := s.pins[name]
		switch {
		case trusted:
			c.approve[name] = define(t, h)
			fallthrough
		case p.approved == h && !p.damaged:
			if !p.held.IsZero() {
				c.unhold = append(c.unhold, name)
			}
		case p.held != h || p.unsaved:
			c.hold[name] = define(t, h)
		}
	}
	for name, p := range s.pins {
		if !listed[name] && !p.held.IsZero() {
			c.unhold = append(c.unhold, name)
		}
	}
	return c
}

// distrust keeps from c, which could not be written, what holds a tool.
func (s *serverView) distrust(c *changes) {
	for name, d := range c.hold {
		s.change(name, func(p *pin) { p.held, p.unsaved = d.Hash, true })
	}
}

// records returns the tools for a reviewer, none of them served.
func (s *serverView) records(tools []tool.Tool, hashes []tool.Hash) []Record {
	list := make([]Record, 0, len(tools))
	for i, t := range tools {
		list = append(list, Record{Tool: t, Hash: hashes[i], State: s.pins[t.ID.Name].state(hashes[i])})
	}
	return list
}

func sortRecords(list []Record) {
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(a.Tool.ID.Name, b.Tool.ID.Name) })
}
