package app

import (
	"mcpproxy/cmd/mcpproxy/internal/metrics"
	"mcpproxy/upstream"
)

// upstreamStates are all that a server can be in.
var upstreamStates = []string{
	string(upstream.Disabled), string(upstream.Held), string(upstream.Starting), string(upstream.Ready),
	string(upstream.NeedsLogin), string(upstream.BackingOff), string(upstream.Failed),
}

// measured is what a scrape sees of the moment.
func (a *App) measured() metrics.State {
	ix := a.index.Status()
	s := metrics.State{
		Servers: map[string]string{}, States: upstreamStates, Up: string(upstream.Ready),
		Tools: ix.Servers, Held: a.gate.HeldTools(), Vectors: ix.Vectors, Made: ix.Made, Model: ix.Model,
	}
	for _, st := range a.pool.Status() {
		s.Servers[st.Name] = string(st.State)
	}
	return s
}
