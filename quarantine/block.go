package quarantine

import (
	"fmt"

	"mcpproxy/internal/tool"
)

// Block keeps a definition, or its server if id has no name, from agents
// whatever it says, until [Gate.Unblock]: no approval and no trust lifts it.
// Approvals stay on record. It takes effect before it returns.
func (g *Gate) Block(id tool.ID) error { return g.setBlocked(id, true) }

// Unblock ends a [Gate.Block]; what was approved before serves again.
func (g *Gate) Unblock(id tool.ID) error { return g.setBlocked(id, false) }

func (g *Gate) setBlocked(id tool.ID, blocked bool) error {
	server := id.Server
	defer g.turn(server)()
	s := g.server(server).clone()
	if s.blockedAt(id) == blocked {
		return nil
	}
	c := &changes{server: server}
	what := EventBlocked
	if !blocked {
		what = EventUnblocked
	}
	c.block = map[tool.ID]bool{id: blocked}
	c.note(what, id, tool.Hash{})
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

// blockedAt reports whether the definition, or the server, is blocked.
func (s *serverView) blockedAt(id tool.ID) bool {
	if id.Name == "" {
		return s.blocked
	}
	return s.pins[id].blocked
}
