package quarantine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
)

// Inspected stores what a person's inspection of identity l listed, tools and
// everything else, for review. Nothing of it is admitted. The listing of an approved server goes through
// [Gate.Admit] instead. It returns an error wrapping [ErrMoved] if another
// identity is in force by now.
func (g *Gate) Inspected(server string, l Launch, tools []tool.Tool) error {
	l = l.Normal()
	if g.server(server).serves() && g.server(server).approves(l) {
		_, _, err := g.Admit(context.Background(), server, tools)
		_, _, errOthers := g.AdmitOthers(context.Background(), server, tools)
		return errors.Join(err, errOthers)
	}
	defer g.turn(server)()
	s := g.server(server).clone()
	if s.inForce == nil {
		s.inForce = &l
	}
	if !s.inForce.equal(l) {
		return fmt.Errorf("inspection of server %q: launch identity %w", server, ErrMoved)
	}
	tools = sift(server, tools, ofTools, ofOthers)
	c := changes{server: server, listing: list(l, tools)}
	rec, changed := s.sight(l, false)
	if rec.Trust == trustOpen && g.listedBefore(server, l, tools) {
		rec.Trust, changed = trustOver, true
	}
	if changed {
		c.record = &rec
	}
	if err := g.ledger.commit(&c); err != nil {
		return fmt.Errorf("inspection of server %q: %w", server, err)
	}
	s.rec, s.known = rec, true
	g.publish(server, s)
	return nil
}

// list returns what is stored of an inspection.
func list(l Launch, tools []tool.Tool) *listing {
	stored := &listing{Launch: l, Tools: [][]byte{}, Others: map[tool.Kind][][]byte{}, Whole: true}
	for _, t := range tools {
		if t.ID.Kind == "" {
			stored.Tools = append(stored.Tools, t.Raw)
		} else {
			stored.Others[t.ID.Kind] = append(stored.Others[t.ID.Kind], t.Raw)
		}
	}
	return stored
}

// listedBefore reports whether an earlier inspection saw something else.
func (g *Gate) listedBefore(server string, l Launch, tools []tool.Tool) bool {
	before, seen := g.ledger.inspected(server, l)
	same := func(a, b tool.Tool) bool { return a.ID == b.ID && a.Hash() == b.Hash() }
	return seen && !slices.EqualFunc(before, tools, same)
}

// Page returns what a reviewer of identity l of the server decides about.
func (g *Gate) Page(server string, l Launch) (Page, error) {
	defer g.turn(server)()
	return g.page(server, l.Normal())
}

// page is Page; the caller has the server's turn.
func (g *Gate) page(server string, l Launch) (Page, error) {
	s := g.server(server)
	p := Page{Server: server, Launch: l, State: s.state(l), Reason: s.reason(l)}
	var err error
	if p.State == Approved {
		p.Inspected = true
		p.Tools, err = g.ledger.waiting(s)
	} else {
		if p.State == Changed {
			p.Previous = s.rec.Approved
		}
		var tools []tool.Tool
		tools, p.Inspected = g.ledger.inspected(server, l)
		hashes := hashesOf(tools)
		p.Tools = s.records(tools, hashes)
	}
	if err == nil {
		err = g.ledger.previous(p.Tools)
	}
	if err != nil {
		return Page{}, fmt.Errorf("server %q: %w", server, err)
	}
	sortRecords(p.Tools)
	p.seal()
	return p, nil
}

// Waiting returns the page of every server in force that has something to
// review, sorted by name. A page that cannot be read has only Server, State and
// Reason.
func (g *Gate) Waiting() []Page {
	v := *g.view.Load()
	var pages []Page
	for _, name := range slices.Sorted(maps.Keys(v)) {
		s := v[name]
		if s.inForce == nil || (s.serves() && s.heldTools() == 0) {
			continue
		}
		p, err := g.Page(name, *s.inForce)
		if err != nil {
			p = Page{Server: name, State: s.state(*s.inForce), Reason: err.Error(), Launch: *s.inForce}
		}
		pages = append(pages, p)
	}
	return pages
}

// ApproveServer approves the launch identity and exactly what the page with this
// hash shows, and returns how many definitions. A server that was held keeps no
// other approval. It returns an error wrapping [ErrMoved] if the page differs
// now, and [ErrNotInspected] if it has no listing; nothing is approved then.
func (g *Gate) ApproveServer(server string, page tool.Hash) (int, error) {
	defer g.turn(server)()
	s := g.server(server)
	if s.inForce == nil {
		return 0, fmt.Errorf("server %q is %w: it is not configured", server, ErrHeld)
	}
	p, err := g.page(server, *s.inForce)
	switch {
	case err != nil:
		return 0, err
	case p.Hash != page:
		return 0, fmt.Errorf("server %q %w\nhint: look again with %s", server, ErrMoved, hint.Command("quarantine", "inspect", server))
	case s.blocked:
		return 0, fmt.Errorf("server %q is %w: it is blocked\nhint: %s", server, ErrHeld, hint.Command("quarantine", "unblock", server))
	case !p.Inspected:
		return 0, fmt.Errorf("server %q: %w\nhint: %s", server, ErrNotInspected, hint.Command("quarantine", "inspect", server))
	}
	c := &changes{server: server, approve: map[tool.ID]definition{}}
	for _, r := range p.Tools {
		c.approve[r.Tool.ID] = define(r.Tool, r.Hash)
		c.unhold = append(c.unhold, r.Tool.ID)
		c.note(EventApproved, r.Tool.ID, r.Hash)
	}
	c.note(EventApproved, tool.ID{}, page)
	if p.State != Approved {
		rec := serverRecord{First: s.rec.First, Approved: s.inForce, Trust: trustOver, Formula: launchFormula}
		c.record, c.unlist = &rec, true
		c.unhold = slices.Collect(maps.Keys(s.pins))
		for id := range s.pins {
			if _, stays := c.approve[id]; !stays {
				c.unpin = append(c.unpin, id)
			}
		}
	}
	return len(p.Tools), g.approve(s, c)
}

// Approve approves definition h of what waits on an approved server. It
// returns an error wrapping [ErrMoved] if another definition waits, or none,
// and [ErrHeld] if the server itself is held.
func (g *Gate) Approve(id tool.ID, h tool.Hash) error {
	defer g.turn(id.Server)()
	s := g.server(id.Server)
	switch p := s.pins[id]; {
	case !s.serves() || p.blocked:
		return s.refusal(id, h)
	case p.serves(h):
		return nil
	case p.held != h || h.IsZero():
		return fmt.Errorf("%q %w\nhint: look again with %s", id, ErrMoved, hint.Command("quarantine", "inspect", id.Server))
	}
	t, err := g.ledger.waitingTool(id, h)
	if err != nil {
		return err
	}
	c := &changes{server: id.Server, approve: map[tool.ID]definition{id: define(t, h)}, unhold: []tool.ID{id}}
	c.note(EventApproved, id, h)
	return g.approve(s, c)
}

// approve writes c, makes it seen and tells the feed. The caller has the turn.
func (g *Gate) approve(s *serverView, c *changes) error {
	if err := g.ledger.commit(c); err != nil {
		return fmt.Errorf("server %q: approval not recorded: %w", c.server, err)
	}
	next := s.clone()
	if c.record != nil {
		next.rec, next.known, next.damaged = *c.record, true, false
	}
	next.apply(c)
	g.publish(c.server, next)
	g.changes.Publish(c.server)
	return nil
}
