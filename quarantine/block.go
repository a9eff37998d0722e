package quarantine

import (
	"fmt"

	"mcpproxy/internal/tool"
)

// Block keeps a server, or one of its tools if name is not empty, from agents
// whatever its definition is, until [Gate.Unblock]: no approval and no trust
// lifts it. Approvals stay on record. It takes effect before it returns.
func (g *Gate) Block(server, name string) error { return g.setBlocked(server, name, true) }

// Unblock ends a [Gate.Block]; what was approved before serves again.
func (g *Gate) Unblock(server, name string) error { return g.setBlocked(server, name, false) }

func (g *Gate) setBlocked(server, name string, blocked bool) error {
	defer g.turn(server)()
	s := g.server(server).clone()
	if s.blockedAt(name) == blocked {
		return nil
	}
	c := &changes{server: server}
	what := EventBlocked
	if !blocked {
		what = EventUnblocked
	}
	c.block = map[string]bool{name: blocked}
	c.note(what, name, tool.Hash{})
	s.apply(c)
	if blocked {
		g.publish(server, s) // a block that cannot be written holds all the same
	}
	if err := g.ledger.commit(c); err != nil {
		return fmt.Errorf("server %q: not recorded: %w", server, err)
	}
	g.publish(server, s)
	g.changes.Publish(server)
	return nil
}

// blockedAt reports whether the server, or the tool of that name, is blocked.
func (s *serverView) blockedAt(name string) bool {
	if name == "" {
		return s.blocked
	}
	return s.pins[name].blocked
}
