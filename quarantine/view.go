package quarantine

import (
	"fmt"
	"maps"

	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
)

// view is what Check reads: immutable once published, by server name.
type view map[string]*serverView

// serverView is one server in memory. It is immutable once published; clone it
// to change it.
type serverView struct {
	known   bool // the ledger has a record of the name
	damaged bool // that record cannot be read
	blocked bool // by a person
	rec     serverRecord
	inForce *Launch // the identity of the configuration in force; nil: not told yet
	pins    map[tool.ID]pin
}

// pin is one definition of a server. Zero hashes mean none.
type pin struct {
	approved tool.Hash
	held     tool.Hash // of the definition that waits; the tool is not served
	damaged  bool      // the approval cannot be read
	blocked  bool      // by a person
	reverts  int       // how often the upstream came back to what is approved
	unsaved  bool      // held is not on disk yet
}

// serves reports whether the tool is approved and nothing else waits under its
// name.
func (p pin) serves(h tool.Hash) bool {
	return p.approved == h && !h.IsZero() && p.held.IsZero() && !p.damaged && !p.blocked
}

// waits reports whether it is held or blocked.
func (p pin) waits() bool { return p.blocked || !p.held.IsZero() }

// flaps reports whether the approved definition itself waits, because the
// upstream went back and forth.
func (p pin) flaps() bool { return !p.held.IsZero() && p.held == p.approved }

// state is where definition h of the tool stands.
func (p pin) state(h tool.Hash) State {
	switch {
	case p.blocked:
		return Blocked
	case p.damaged || p.approved.IsZero():
		return Pending
	case p.flaps():
		return Changed
	case p.approved == h:
		return Approved
	default:
		return Changed
	}
}

func (s *serverView) clone() *serverView {
	c := *s
	c.pins = make(map[tool.ID]pin, len(s.pins))
	maps.Copy(c.pins, s.pins)
	return &c
}

func (s *serverView) change(id tool.ID, f func(*pin)) {
	p := s.pins[id]
	f(&p)
	s.pins[id] = p
}

// prune drops pins that say nothing.
func (s *serverView) prune() {
	maps.DeleteFunc(s.pins, func(_ tool.ID, p pin) bool { return p == pin{} })
}

// heldTools counts what waits, tools and others.
func (s *serverView) heldTools() int {
	n := 0
	for _, p := range s.pins {
		if !p.held.IsZero() {
			n++
		}
	}
	return n
}

// bound reports whether anything of s was ever approved or held.
func (s *serverView) bound() bool {
	for _, p := range s.pins {
		if !p.approved.IsZero() || !p.held.IsZero() || p.damaged {
			return true
		}
	}
	return false
}

// approves reports whether identity l is the approved one.
func (s *serverView) approves(l Launch) bool {
	return !s.damaged && !s.blocked && s.rec.approves(l)
}

// serves reports whether the server may run as configured.
func (s *serverView) serves() bool { return s.inForce != nil && s.approves(*s.inForce) }

// state is where identity l of the server stands.
func (s *serverView) state(l Launch) State {
	switch {
	case s.blocked:
		return Blocked
	case s.approves(l):
		return Approved
	case s.rec.Approved != nil:
		return Changed
	default:
		return Pending
	}
}

// reason says why identity l is held; empty if it is not.
func (s *serverView) reason(l Launch) string {
	switch {
	case s.approves(l):
		return ""
	case s.blocked:
		return "it is blocked (mcpproxy quarantine unblock lifts it)"
	case s.damaged:
		return "its approval record is damaged"
	case s.rec.Approved != nil:
		return "launch identity changed: " + s.rec.Approved.difference(l.by(s.rec.Formula))
	default:
		return "nobody has approved it"
	}
}

// verdict is nil if identity l of the server may run.
func (s *serverView) verdict(server string, l Launch, trustFirst bool) error {
	reason := s.reason(l)
	if reason == "" {
		return nil
	}
	if trustFirst && s.rec.Approved == nil {
		reason += ` ("quarantined": false trusts only what was first seen under this name)`
	}
	return s.heldServer(server, reason)
}

func (s *serverView) heldServer(server, reason string) error {
	if s.blocked {
		return fmt.Errorf("server %q is %w: %s\nhint: %s", server, ErrHeld, reason, hint.Command("quarantine", "unblock", server))
	}
	return fmt.Errorf("server %q is %w: %s\nhint: look with %s", server, ErrHeld, reason, reviewing(server))
}

// refusal says why definition h of a tool is not served.
func (s *serverView) refusal(id tool.ID, h tool.Hash) error {
	if s == nil || s.inForce == nil {
		return fmt.Errorf("%q is %w: server %q is not configured", id, ErrHeld, id.Server)
	}
	if reason := s.reason(*s.inForce); reason != "" {
		return s.heldServer(id.Server, reason)
	}
	reason := "nobody has approved it"
	switch p := s.pins[id]; {
	case p.blocked:
		return fmt.Errorf("%q is %w: it is blocked\nhint: %s", id, ErrHeld, hint.Command("quarantine", "unblock", id.Target()))
	case p.damaged:
		reason = "its approval record is damaged"
	case p.flaps():
		reason = "its definition went back and forth"
	case p.state(h) == Changed || !p.approved.IsZero():
		reason = "its definition changed since it was approved"
	}
	return fmt.Errorf("%q is %w: %s\nhint: look with %s", id, ErrHeld, reason, reviewing(id.Server))
}

// reviewing is how a person lets a server in.
func reviewing(server string) string {
	return hint.Command("quarantine", "inspect", server) + ", then " + hint.Command("quarantine", "approve", server)
}
