package quarantine

import (
	"errors"
	"fmt"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// inspected returns the stored listing of identity l. A listing that cannot be
// read counts as none.
func (l *ledger) inspected(server string, launch Launch) (tools []tool.Tool, seen bool) {
	stored, err := l.listings.Get(server)
	if err != nil || !stored.Launch.Normal().equal(launch) {
		return nil, false
	}
	for _, kind := range tool.Kinds {
		raws := stored.Others[kind]
		if kind == "" {
			raws = stored.Tools
		}
		for _, raw := range raws {
			t, err := tool.DecodeAs(kind, server, raw)
			if err != nil {
				return nil, false
			}
			tools = append(tools, t)
		}
	}
	return tools, true
}

// inspectedWhole reports whether the stored listing covers what is no tool.
func (l *ledger) inspectedWhole(server string) bool {
	stored, err := l.listings.Get(server)
	return err == nil && stored.Whole
}

// waiting returns what is held of an approved server.
func (l *ledger) waiting(s *serverView) ([]Record, error) {
	var list []Record
	twins := s.looks()
	for id, p := range s.pins {
		if p.held.IsZero() || p.held == unreadable || p.unsaved {
			continue // the next listing writes it
		}
		t, err := l.waitingTool(id, p.held)
		if err != nil {
			return nil, err
		}
		list = append(list, Record{Tool: t, Hash: p.held, State: p.state(p.held), Flapping: p.flaps(), LooksLike: twins.of(id)})
	}
	return list, nil
}

// waitingTool returns one held definition, whose bytes must have hash h.
func (l *ledger) waitingTool(id tool.ID, h tool.Hash) (tool.Tool, error) {
	d, err := l.held.get(id)
	if err != nil {
		return tool.Tool{}, err
	}
	t, err := tool.DecodeAs(id.Kind, id.Server, d.Raw)
	if err != nil || t.ID != id || t.Hash() != h {
		return tool.Tool{}, fmt.Errorf("%q: stored definition is damaged: %w", id, store.ErrDamaged)
	}
	return t, nil
}

// previous adds the approved definitions to records that changed.
func (l *ledger) previous(records []Record) error {
	for i := range records {
		r := &records[i]
		if r.State != Changed {
			continue
		}
		d, err := l.approved.get(r.Tool.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		r.Previous = d.Raw
	}
	return nil
}
