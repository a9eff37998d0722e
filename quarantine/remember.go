package quarantine

import (
	"errors"
	"fmt"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// Remembered returns everything of the server that is no tool, is approved and
// has nothing held against it, as it was approved and in no order: what agents may
// have of a server that was not listed since the start. A definition that cannot
// be read is left out.
func (g *Gate) Remembered(server string) ([]tool.Tool, error) {
	s := g.server(server)
	if !s.serves() {
		return nil, nil
	}
	var list []tool.Tool
	for id, p := range s.pins {
		if id.Kind == "" || !p.serves(p.approved) {
			continue
		}
		d, err := g.ledger.approved.get(id)
		if err != nil {
			if errors.Is(err, store.ErrNotFound) {
				continue // it went meanwhile
			}
			return nil, fmt.Errorf("server %q: %w", server, err)
		}
		t, err := tool.DecodeAs(id.Kind, server, d.Raw)
		if err == nil && t.ID == id && t.Hash() == p.approved {
			list = append(list, t)
		}
	}
	return list, nil
}
