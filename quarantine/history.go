package quarantine

import (
	"fmt"
	"slices"
	"time"

	"mcpproxy/internal/tool"
)

// What an [Event] says.
const (
	EventApproved  = "approved"
	EventHeld      = "held"          // a new definition waits
	EventChanged   = "changed"       // an approved definition differs now and waits
	EventApplied   = "applied"       // a change of hints alone that needed no person
	EventReverted  = "reverted"      // the approved definition is back and serves again
	EventFlapping  = "flapping"      // it is back once too often and waits for a person
	EventTrusted   = "trusted"       // approved at first sight, as the configuration says
	EventAuto      = "auto-approved" // as the policy of the configuration says
	EventBlocked   = "blocked"
	EventUnblocked = "unblocked"
	EventForgotten = "forgotten"
)

// Event is one thing that the gate did, for the record. Tool is empty where it
// concerns the server itself.
type Event struct {
	Time   time.Time `json:"time"`
	What   string    `json:"what"`
	Server string    `json:"server"`
	Tool   string    `json:"tool,omitempty"`
	Kind   tool.Kind `json:"kind,omitempty"` // of what Tool names; empty: a tool
	Hash   tool.Hash `json:"hash,omitzero"`  // of the definition; of the page, for a server
}

// keptEvents bounds the history; the oldest go when the gate is opened.
const keptEvents = 10000

// Follow has f told every event once it is on disk, in order for each server. f
// must return soon. Call Follow before the gate is used.
func (g *Gate) Follow(f func(Event)) { g.ledger.follow = f }

// note adds an event to what c writes.
func (c *changes) note(what string, id tool.ID, h tool.Hash) {
	c.events = append(c.events, Event{What: what, Server: c.server, Tool: id.Name, Kind: id.Kind, Hash: h})
}

// stamp gives the events of c their time and their keys, which sort by time.
func (l *ledger) stamp(events []Event) map[string]Event {
	m := make(map[string]Event, len(events))
	now := l.now().UTC()
	for i, e := range events {
		e.Time = now
		m[fmt.Sprintf("%020d-%06d", now.UnixNano(), i)] = e
	}
	return m
}

// History returns the last limit events of a server, of all if it is empty,
// newest first. Damaged ones are left out.
func (g *Gate) History(server string, limit int) ([]Event, error) {
	var list []Event
	err := g.ledger.history.All(func(_ string, e Event, broken error) error {
		if broken == nil && (server == "" || e.Server == server) {
			list = append(list, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("quarantine: history: %w", err)
	}
	slices.SortStableFunc(list, func(a, b Event) int { return b.Time.Compare(a.Time) })
	return list[:min(limit, len(list))], nil
}

// trim drops the oldest events beyond keptEvents.
func (l *ledger) trim() error {
	var keys []string
	err := l.history.All(func(key string, _ Event, _ error) error {
		keys = append(keys, key)
		return nil
	})
	if err != nil || len(keys) <= keptEvents {
		return err
	}
	slices.Sort(keys)
	return l.history.Update(nil, keys[:len(keys)-keptEvents])
}
