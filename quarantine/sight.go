package quarantine

import (
	"fmt"

	"mcpproxy/internal/tool"
)

// Launch tells the gate the launch identity in force and returns nil if it is
// approved, else an error wrapping [ErrHeld] that says why and names the
// commands that review it. trustFirst approves the first identity ever seen
// under the name. Call it for every configured server, switched off or not.
func (g *Gate) Launch(server string, l Launch, trustFirst bool) error {
	l = l.Normal()
	trustFirst = trustFirst && !g.wary(g.server(server))
	if s := g.server(server); s.settled(l, trustFirst) && (!g.waved(server) || s.approves(l) || s.blocked) {
		return s.verdict(server, l, trustFirst)
	}
	defer g.turn(server)()
	s := g.server(server).clone()
	c := changes{server: server}
	s.inForce = &l
	if rec, changed := s.sight(l, trustFirst); changed {
		c.record = &rec
		if rec.Trust == trustListing && s.rec.Trust != trustListing {
			c.note(EventTrusted, tool.ID{}, tool.Hash{})
			g.trustInspected(s, &c)
		}
	}
	g.wave(s, l, &c)
	if err := g.ledger.commit(&c); err != nil {
		kept := g.server(server).clone()
		kept.inForce = &l
		g.publish(server, kept)
		return fmt.Errorf("server %q is %w: its record cannot be written: %w", server, ErrHeld, err)
	}
	if c.record != nil {
		s.rec, s.known, s.damaged = *c.record, true, s.damaged && !g.waved(server)
	}
	s.apply(&c)
	g.publish(server, s)
	return s.verdict(server, l, trustFirst)
}

// wave approves identity l unseen where the policy says so.
func (g *Gate) wave(s *serverView, l Launch, c *changes) {
	rec := s.rec
	if c.record != nil { // what this sight of it changed
		rec = *c.record
	}
	if !g.waved(c.server) || s.blocked || !s.damaged && rec.approves(l) || g.wary(s) {
		return
	}
	rec.Approved, rec.Trust, rec.Formula = &l, trustOver, launchFormula
	c.record = &rec
	c.note(EventAuto, tool.ID{}, tool.Hash{})
}

// settled reports whether Launch has nothing to record.
func (s *serverView) settled(l Launch, trustFirst bool) bool {
	_, changed := s.sight(l, trustFirst)
	return !changed && s.inForce != nil && s.inForce.same(l)
}

// sight returns the server's record after identity l was seen.
func (s *serverView) sight(l Launch, trustFirst bool) (rec serverRecord, changed bool) {
	rec = s.rec
	if !s.known {
		rec.First, rec.Formula, changed = l, launchFormula, true
	}
	changed = rec.upgrade(l) || changed
	if a := rec.Approved; a != nil && a.equal(l) {
		if known := a.learn(l); !known.same(*a) {
			rec.Approved, changed = &known, true // the image or issuer first seen of an approved server is pinned
		}
	}
	if rec.Trust != trustOpen || rec.Approved != nil {
		return rec, changed
	}
	switch {
	case !rec.First.equal(l.by(rec.Formula)):
		rec.Trust, changed = trustOver, true
	case trustFirst:
		rec.Approved, rec.Trust, rec.Others, changed = &l, trustListing, trustListing, true
	}
	return rec, changed
}

// trustInspected approves the listing of an inspection that came before the
// trust: it is the first one ever seen.
func (g *Gate) trustInspected(s *serverView, c *changes) {
	tools, seen := g.ledger.inspected(c.server, c.record.First)
	if !seen {
		return
	}
	c.record.Trust = trustOver
	if g.ledger.inspectedWhole(c.server) {
		c.record.Others = trustOver
	}
	c.unlist = true
	c.approve, c.hold = map[tool.ID]definition{}, map[tool.ID]definition{}
	hashes := hashesOf(tools)
	s.trust(c, tools, hashes)
}
