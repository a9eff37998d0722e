package quarantine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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

// Blocked returns the definitions of the server that are blocked, sorted. It reads
// memory only.
func (g *Gate) Blocked(server string) []tool.ID {
	var ids []tool.ID
	for id, p := range g.server(server).pins {
		if p.blocked {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, byTarget)
	return ids
}

// Known returns every definition of the server that there is something to say
// about: approved, waiting or blocked ones, and those that an inspection of
// identity l listed. Sorted.
func (g *Gate) Known(server string, l Launch) []tool.ID {
	ids := slices.Collect(maps.Keys(g.server(server).pins))
	listed, _ := g.ledger.inspected(server, l.Normal())
	for _, t := range listed {
		ids = append(ids, t.ID)
	}
	slices.SortFunc(ids, byTarget)
	return slices.Compact(ids)
}

func byTarget(a, b tool.ID) int { return strings.Compare(a.Target(), b.Target()) }

// blockedAt reports whether the definition, or the server, is blocked.
func (s *serverView) blockedAt(id tool.ID) bool {
	if id.Name == "" {
		return s.blocked
	}
	return s.pins[id].blocked
}
