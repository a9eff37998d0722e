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
	c := g.compare(s, server, tools, hashes)
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
			held = append(held, Record{Tool: t, Hash: hashes[i], State: p.state(hashes[i]), Flapping: p.flaps()})
		}
	}
	return admitted, held, nil
}

// mostReverts is how often an upstream may come back to the approved definition
// before a person must look.
const mostReverts = 1

// compare returns what a listing of an approved server changes.
func (g *Gate) compare(s *serverView, server string, tools []tool.Tool, hashes []tool.Hash) *changes {
	c := &changes{server: server, approve: map[string]definition{}, hold: map[string]definition{}}
	listed := make(map[string]bool, len(tools))
	for _, t := range tools {
		listed[t.ID.Name] = true
	}
	if s.rec.Trust == trustListing {
		rec := s.rec
		rec.Trust = trustOver
		c.record = &rec
		s.trust(c, tools, hashes)
	} else {
		for i, t := range tools {
			g.judge(c, s, t, hashes[i])
		}
	}
	for name, p := range s.pins {
		if !listed[name] && !p.held.IsZero() && !p.flaps() {
			c.unhold = append(c.unhold, name)
		}
	}
	return c
}

// trust approves a first listing that the configuration trusts, but for tools
// whose names look like those before them.
func (s *serverView) trust(c *changes, tools []tool.Tool, hashes []tool.Hash) {
	taken := s.twins()
	for i, t := range tools {
		name := t.ID.Name
		if twin, taken := taken[skeleton(name)]; taken && twin != name {
			c.hold[name] = define(t, hashes[i])
			c.note(EventHeld, name, hashes[i])
			continue
		}
		taken[skeleton(name)] = name
		c.approve[name] = define(t, hashes[i])
		if !s.pins[name].held.IsZero() {
			c.unhold = append(c.unhold, name)
		}
		c.note(EventTrusted, name, hashes[i])
	}
}

// judge adds to c what the listed definition of one tool changes.
func (g *Gate) judge(c *changes, s *serverView, t tool.Tool, h tool.Hash) {
	name := t.ID.Name
	p := s.pins[name]
	switch {
	case p.approved == h && !p.damaged && p.held.IsZero():
	case g.passes(c, s, t):
		c.approve[name] = define(t, h)
		if !p.held.IsZero() {
			c.unhold = append(c.unhold, name)
		}
		c.note(EventAuto, name, h)
	case p.approved == h && !p.damaged:
		g.revert(c, p, t, h)
	case p.held == h && !p.unsaved:
	case !p.approved.IsZero() && !p.damaged && p.held.IsZero() && g.appliedUnseen(t):
		d := define(t, h)
		d.Reverts = p.reverts
		c.approve[name] = d
		c.note(EventApplied, name, h)
	default:
		c.hold[name] = define(t, h)
		if p.approved.IsZero() {
			c.note(EventHeld, name, h)
		} else {
			c.note(EventChanged, name, h)
		}
	}
}

// revert lets the approved definition serve again when the upstream came back to
// it, unless that happened before: then the approved definition waits itself.
func (g *Gate) revert(c *changes, p pin, t tool.Tool, h tool.Hash) {
	name := t.ID.Name
	if p.held.IsZero() || p.flaps() {
		return
	}
	d := define(t, h)
	d.Reverts = p.reverts + 1
	c.approve[name] = d
	if d.Reverts > mostReverts {
		c.hold[name] = define(t, h)
		c.note(EventFlapping, name, h)
		return
	}
	c.unhold = append(c.unhold, name)
	c.note(EventReverted, name, h)
}

// appliedUnseen reports whether t differs from its approved definition in a way
// that needs no person.
func (g *Gate) appliedUnseen(t tool.Tool) bool {
	d, err := g.ledger.approved.Get(t.ID.String())
	return err == nil && applied(d.Raw, t.Raw)
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
	taken := make(map[string]string, len(tools))
	for i, t := range tools {
		r := Record{Tool: t, Hash: hashes[i], State: s.pins[t.ID.Name].state(hashes[i])}
		if twin := taken[skeleton(t.ID.Name)]; twin != "" {
			r.LooksLike = twin
		} else {
			taken[skeleton(t.ID.Name)] = t.ID.Name
		}
		list = append(list, r)
	}
	return list
}

func sortRecords(list []Record) {
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(a.Tool.ID.Name, b.Tool.ID.Name) })
}
