package quarantine

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"mcpproxy/internal/event"
	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// Gate decides what agents may see and call. Safe for concurrent use; what
// concerns different servers does not wait for each other.
type Gate struct {
	ledger  *ledger
	changes event.Feed[string]
	loss    *Loss // of an earlier store; nil: none

	view     atomic.Pointer[view]
	policies atomic.Pointer[map[string]Policy]
	mu       sync.Mutex // guards replacing view, and turns; never held over a write
	// turns makes writers of one server take turns. Names are never taken out.
	turns map[string]*sync.Mutex
}

// Open returns the gate whose approvals are in db. Records that cannot be read
// count as no approval. Every server is held until [Gate.Launch] names its
// identity.
func Open(db *store.DB) (*Gate, error) {
	l, err := openLedger(db)
	if err != nil {
		return nil, err
	}
	v, err := l.load()
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	loss, err := l.loss()
	if err != nil {
		return nil, err
	}
	g := &Gate{ledger: l, loss: loss, turns: map[string]*sync.Mutex{}}
	g.view.Store(&v)
	return g, nil
}

// Changes publishes the name of every server for which a person approved or
// forgot something.
func (g *Gate) Changes() *event.Feed[string] { return &g.changes }

// Check returns nil if the server may run as configured and exactly definition
// h of the tool is approved and was not listed differently since; else an error
// wrapping [ErrHeld] that says why. It reads memory only and takes no lock.
func (g *Gate) Check(id tool.ID, h tool.Hash) error {
	s := (*g.view.Load())[id.Server]
	if s != nil && s.serves() && s.pins[id].serves(h) {
		return nil
	}
	return s.refusal(id, h)
}

// Waits reports whether a definition of the tool waits for a person, or the tool
// is blocked, on a server that may run. It reads memory only.
func (g *Gate) Waits(id tool.ID) bool {
	s := g.server(id.Server)
	if !s.serves() {
		return false
	}
	if id.Kind != tool.Resource {
		return s.pins[id].waits()
	}
	uri := tool.PlainURI(id.Name)
	for other, p := range s.pins {
		if other.Kind == tool.Resource && p.waits() && tool.PlainURI(other.Name) == uri {
			return true
		}
	}
	return false
}

// StateOf says where definition h of a tool stands. Tools of a held server
// stand where the server stands.
func (g *Gate) StateOf(id tool.ID, h tool.Hash) State {
	s := g.server(id.Server)
	if s.inForce == nil || !s.serves() {
		if s.blocked {
			return Blocked
		}
		if s.rec.Approved != nil {
			return Changed
		}
		return Pending
	}
	p := s.pins[id]
	if state := p.state(h); state != Approved || p.serves(h) {
		return state
	}
	return Changed
}

// HeldTools counts, by server, the tools and other definitions of approved
// servers that wait. It reads memory only.
func (g *Gate) HeldTools() map[string]int {
	counts := map[string]int{}
	for name, s := range *g.view.Load() {
		if n := s.heldTools(); n > 0 && s.serves() {
			counts[name] = n
		}
	}
	return counts
}

// apply makes the pins of s what c wrote.
func (s *serverView) apply(c *changes) {
	for id, blocked := range c.block {
		if id.Name == "" {
			s.blocked = blocked
		} else {
			s.change(id, func(p *pin) { p.blocked = blocked })
		}
	}
	for _, id := range c.unpin {
		s.change(id, func(p *pin) { p.approved, p.damaged, p.reverts = tool.Hash{}, false, 0 })
	}
	for _, id := range c.unhold {
		s.change(id, func(p *pin) { p.held, p.unsaved = tool.Hash{}, false })
	}
	for id, d := range c.approve {
		s.change(id, func(p *pin) { p.approved, p.damaged, p.reverts = d.Hash, false, d.Reverts })
	}
	for id, d := range c.hold {
		s.change(id, func(p *pin) { p.held, p.unsaved = d.Hash, false })
	}
	s.prune()
}

// Forget takes back every approval of the server and what was listed of it. It
// keeps that the name was seen: the configuration cannot trust it again.
func (g *Gate) Forget(server string) error {
	defer g.turn(server)()
	s := g.server(server)
	if !s.known {
		return nil
	}
	pinned := slices.Collect(maps.Keys(s.pins))
	rec := serverRecord{First: s.rec.First, Trust: trustOver, Formula: s.rec.Formula}
	c := &changes{server: server, record: &rec, unlist: true, unpin: pinned, unhold: pinned}
	c.note(EventForgotten, tool.ID{}, tool.Hash{})
	if err := g.ledger.commit(c); err != nil {
		return fmt.Errorf("forget server %q: %w", server, err)
	}
	next := s.clone()
	next.apply(c)
	next.known, next.damaged, next.inForce, next.rec = true, false, nil, rec
	g.publish(server, next)
	g.changes.Publish(server)
	return nil
}

// unseen is a server that the gate knows nothing of.
var unseen = &serverView{}

// server returns the view of a server, never nil. It must not be changed.
func (g *Gate) server(name string) *serverView {
	if s := (*g.view.Load())[name]; s != nil {
		return s
	}
	return unseen
}

// publish makes s what Check sees. The caller has the server's turn.
func (g *Gate) publish(server string, s *serverView) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := maps.Clone(*g.view.Load())
	next[server] = s
	g.view.Store(&next)
}

// turn waits for the writers of the same server and returns what ends the turn.
func (g *Gate) turn(server string) func() {
	g.mu.Lock()
	m := g.turns[server]
	if m == nil {
		m = new(sync.Mutex)
		g.turns[server] = m
	}
	g.mu.Unlock()
	m.Lock()
	return m.Unlock
}
