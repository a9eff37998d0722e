package quarantine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// Bounds of names in bytes; they are parts of keys in the database. Those of
// resources are URIs.
const (
	maxName      = 512
	maxOtherName = 2048
)

// scope is a part of what a server lists: its tools, or everything else. The two
// are listed one after the other, so each is complete by itself.
type scope bool

const (
	ofTools  scope = true
	ofOthers scope = false
)

func (sc scope) has(id tool.ID) bool { return (id.Kind == "") == bool(sc) }

// sift drops what has no identity of its own: every repetition of a name, names
// that are too long, and definitions of other servers or of no such kind. The
// first of a name stays. It returns a new slice.
func sift(server string, list []tool.Tool, want ...scope) []tool.Tool {
	seen := make(map[tool.ID]bool, len(list))
	kept := make([]tool.Tool, 0, len(list))
	for _, t := range list {
		limit := maxName
		if t.ID.Kind != "" {
			limit = maxOtherName
		}
		wanted := slices.ContainsFunc(want, func(sc scope) bool { return sc.has(t.ID) })
		if wanted && !seen[t.ID] && len(t.ID.Name) <= limit && t.ID.Server == server {
			seen[t.ID] = true
			kept = append(kept, t)
		}
	}
	return kept
}

func hashesOf(tools []tool.Tool) []tool.Hash {
	hashes := make([]tool.Hash, len(tools))
	for i, t := range tools {
		hashes[i] = t.Hash()
	}
	return hashes
}

// Admit compares the complete listing of a server's tools with what was approved.
// It returns the tools that may serve, in the order listed, and those that wait.
// All tools of a held server wait. Of equal names the first counts and the rest
// is ignored, and so are names over 512 bytes.
//
// What a restart must know is on disk when Admit returns, in one transaction;
// a listing that changes nothing writes nothing. If it cannot be written Admit
// admits nothing and returns the error, and tools that were listed differently
// are held all the same. The slices are the caller's.
func (g *Gate) Admit(ctx context.Context, server string, tools []tool.Tool) (admitted []tool.Tool, held []Record, err error) {
	return g.admit(ctx, server, tools, ofTools)
}

// AdmitOthers is [Gate.Admit] for the complete listing of everything that is no
// tool: prompts, resources, resource templates and instructions.
func (g *Gate) AdmitOthers(ctx context.Context, server string, others []tool.Tool) (admitted []tool.Tool, held []Record, err error) {
	return g.admit(ctx, server, others, ofOthers)
}

func (g *Gate) admit(ctx context.Context, server string, tools []tool.Tool, sc scope) (admitted []tool.Tool, held []Record, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	tools = sift(server, tools, sc)
	hashes := hashesOf(tools) // outside the turn: it is most of the work
	defer g.turn(server)()
	s := g.server(server)
	if !s.serves() {
		return nil, s.records(tools, hashes), nil
	}
	c := g.compare(s, sc, server, tools, hashes)
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
		if p := next.pins[t.ID]; p.serves(hashes[i]) {
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
func (g *Gate) compare(s *serverView, sc scope, server string, tools []tool.Tool, hashes []tool.Hash) *changes {
	c := &changes{server: server, approve: map[tool.ID]definition{}, hold: map[tool.ID]definition{}}
	listed := make(map[tool.ID]bool, len(tools))
	for _, t := range tools {
		listed[t.ID] = true
	}
	rec := s.rec
	left := &rec.Trust
	if sc == ofOthers {
		left = &rec.Others
	}
	if *left == trustListing {
		*left = trustOver
		c.record = &rec
		s.trust(c, tools, hashes)
	} else {
		for i, t := range tools {
			g.judge(c, s, t, hashes[i])
		}
	}
	for id, p := range s.pins {
		if sc.has(id) && !listed[id] && !p.held.IsZero() && !p.flaps() {
			c.unhold = append(c.unhold, id)
		}
	}
	return c
}

// trust approves a first listing that the configuration trusts, but for tools
// whose names look like those before them.
func (s *serverView) trust(c *changes, tools []tool.Tool, hashes []tool.Hash) {
	taken := s.looks()
	for i, t := range tools {
		if taken.twin(t.ID) != "" {
			c.hold[t.ID] = define(t, hashes[i])
			c.note(EventHeld, t.ID, hashes[i])
			continue
		}
		c.approve[t.ID] = define(t, hashes[i])
		if !s.pins[t.ID].held.IsZero() {
			c.unhold = append(c.unhold, t.ID)
		}
		c.note(EventTrusted, t.ID, hashes[i])
	}
}

// judge adds to c what the listed definition of one tool changes.
func (g *Gate) judge(c *changes, s *serverView, t tool.Tool, h tool.Hash) {
	id := t.ID
	p := s.pins[id]
	switch {
	case p.approved == h && !p.damaged && p.held.IsZero():
	case g.passes(c, s, t):
		c.approve[id] = define(t, h)
		if !p.held.IsZero() {
			c.unhold = append(c.unhold, id)
		}
		c.note(EventAuto, id, h)
	case p.approved == h && !p.damaged:
		g.revert(c, p, t, h)
	case p.held == h && !p.unsaved:
	case !p.approved.IsZero() && !p.damaged && p.held.IsZero() && g.appliedUnseen(t):
		d := define(t, h)
		d.Reverts = p.reverts
		c.approve[id] = d
		c.note(EventApplied, id, h)
	default:
		c.hold[id] = define(t, h)
		if p.approved.IsZero() {
			c.note(EventHeld, id, h)
		} else {
			c.note(EventChanged, id, h)
		}
	}
}

// revert lets the approved definition serve again when the upstream came back to
// it, unless that happened before: then the approved definition waits itself.
func (g *Gate) revert(c *changes, p pin, t tool.Tool, h tool.Hash) {
	id := t.ID
	if p.held.IsZero() || p.flaps() {
		return
	}
	d := define(t, h)
	d.Reverts = p.reverts + 1
	c.approve[id] = d
	if d.Reverts > mostReverts {
		c.hold[id] = define(t, h)
		c.note(EventFlapping, id, h)
		return
	}
	c.unhold = append(c.unhold, id)
	c.note(EventReverted, id, h)
}

// appliedUnseen reports whether t differs from its approved definition in a way
// that needs no person.
func (g *Gate) appliedUnseen(t tool.Tool) bool {
	d, err := g.ledger.approved.get(t.ID)
	return err == nil && t.ID.Kind == "" && applied(d.Raw, t.Raw)
}

// distrust keeps from c, which could not be written, what holds a tool.
func (s *serverView) distrust(c *changes) {
	for id, d := range c.hold {
		s.change(id, func(p *pin) { p.held, p.unsaved = d.Hash, true })
	}
}

// records returns the tools for a reviewer, none of them served.
func (s *serverView) records(tools []tool.Tool, hashes []tool.Hash) []Record {
	list := make([]Record, 0, len(tools))
	taken := looks{}
	for i, t := range tools {
		list = append(list, Record{Tool: t, Hash: hashes[i], State: s.pins[t.ID].state(hashes[i]), LooksLike: taken.twin(t.ID)})
	}
	return list
}

func sortRecords(list []Record) {
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(cmp.Compare(slices.Index(tool.Kinds, a.Tool.ID.Kind), slices.Index(tool.Kinds, b.Tool.ID.Kind)),
			strings.Compare(a.Tool.ID.Name, b.Tool.ID.Name))
	})
}
