package quarantine

import (
	"maps"
	"slices"

	"mcpproxy/internal/tool"
)

// Policy is what the configuration lets pass at the gate without a person. What
// passes is pinned and recorded as [EventAuto]; a block holds under every policy.
type Policy string

// The policies of a server.
const (
	PolicyNone        Policy = ""                           // a person decides
	PolicyAnnotations Policy = "annotations"                // changes of behaviour hints alone, also those that claim more safety
	PolicyNewTools    Policy = "unchanged-server-new-tools" // new tools while the launch identity is the approved one; changed tools and look-alikes wait
	PolicyAll         Policy = "all"                        // everything: "quarantine_enabled": false
)

// SetPolicies puts the policies of all servers in force; a missing one is
// [PolicyNone]. What waits already is judged anew at the server's next listing,
// which the feed of [Gate.Changes] asks for.
func (g *Gate) SetPolicies(policies map[string]Policy) {
	next := maps.Clone(policies)
	before := g.policies.Swap(&next)
	for _, server := range slices.Sorted(maps.Keys(next)) {
		if before == nil || (*before)[server] != next[server] {
			g.changes.Publish(server)
		}
	}
}

func (g *Gate) policy(server string) Policy {
	if p := g.policies.Load(); p != nil {
		return (*p)[server]
	}
	return PolicyNone
}

// passes reports whether the policy of the server approves t without a person.
func (g *Gate) passes(c *changes, s *serverView, t tool.Tool) bool {
	p := s.pins[t.ID]
	switch g.policy(t.ID.Server) {
	case PolicyAll:
		return true
	case PolicyNewTools:
		return t.ID.Kind == "" && p.approved.IsZero() && !p.damaged && c.unlike(s, t.ID)
	case PolicyAnnotations:
		if t.ID.Kind != "" || p.approved.IsZero() || p.damaged || p.flaps() {
			return false
		}
		d, err := g.ledger.approved.get(t.ID)
		return err == nil && hintsOnly(d.Raw, t.Raw)
	}
	return false
}

// waved reports whether every launch identity of the server is approved unseen.
func (g *Gate) waved(server string) bool { return g.policy(server) == PolicyAll }

// unlike reports whether no approved definition of its kind, nor a new one
// before it, looks like id, which takes that look from then on.
func (c *changes) unlike(s *serverView, id tool.ID) bool {
	if c.looks == nil {
		c.looks = s.looks()
	}
	return c.looks.twin(id) == ""
}
