package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// approvals are what may run and be called, as the gate says it.
func (r *rig) approvals(names []string, known map[string][]tool.Tool) map[string]string {
	m := map[string]string{}
	for _, s := range r.app.inForce.Load().Servers {
		launch := r.app.launchOf(s)
		if r.app.gate.Launch(s.Name, launch, false) == nil {
			m[s.Name] = fmt.Sprint(launch)
		}
	}
	for _, name := range names {
		for _, t := range known[name] {
			if r.app.gate.Check(t.ID, t.Hash()) == nil {
				m[t.ID.String()] = t.Hash().String()
			}
		}
	}
	return m
}

// TestOnlyAPersonApproves lets an agent try every tool with every operation and
// field, and every route without the key: nothing is approved that was not, and
// no server is trusted or isolated differently.
func TestOnlyAPersonApproves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	clean := upstreamtest.Script{Tools: []json.RawMessage{upstreamtest.Tool("plain")}}
	moving := &upstreamtest.Server{Script: clean}
	changed := json.RawMessage(`{"name":"plain","description":"plain tool, changed","inputSchema":{"type":"object"}}`)
	r.add("held", upstream.HTTP, clean)
	r.serve("moved", upstream.HTTP, moving)
	r.add("good", upstream.HTTP, clean)
	r.start()
	r.approve("moved")
	r.approve("good")
	r.synced("moved")
	page, err := r.person.Inspect(t.Context(), "held", client.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	moving.SetTools([]json.RawMessage{changed, upstreamtest.Tool("fresh")})
	r.wait("the change to be held", func() error {
		if r.app.gate.HeldTools()["moved"] < 2 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	s := &surfaces{r: r, servers: []string{"held", "moved", "good"}, ids: []string{"held:plain", "moved:plain", "good:plain"}, hashes: []string{page.Hash}}
	known := map[string][]tool.Tool{}
	waiting, err := r.person.Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range waiting {
		s.hashes = append(s.hashes, p.Hash)
		for _, d := range p.Tools {
			one, err := tool.Decode(p.Server, d.Definition)
			if err != nil {
				t.Fatal(err)
			}
			known[p.Server] = append(known[p.Server], one)
			s.hashes = append(s.hashes, d.Hash)
		}
	}
	s.hashes = slices.Compact(s.hashes)
	before := r.approvals(s.servers, known)
	s.begin()
	s.methods()
	asked := s.routes(t)
	calls := s.tools()
	check := func(when string) {
		t.Helper()
		for name, what := range r.approvals(s.servers, known) {
			if before[name] != what {
				t.Errorf("%s %s is approved, and no person did that (before: %v)", when, name, slices.Sorted(maps.Keys(before)))
			}
		}
		cfg := r.app.inForce.Load()
		for name, p := range policiesOf(cfg) {
			if p != quarantine.PolicyNone {
				t.Errorf("%s %s has the policy %s", when, name, p)
			}
		}
	}
	check("after all calls")
	text, err := os.ReadFile(filepath.Join(r.dir, "mcp_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for field := range forbidden {
		if strings.Contains(string(text), `"`+field+`"`) {
			t.Errorf("an agent wrote %q to the configuration: %s", field, text)
		}
	}
	servers := r.servers
	r.stop()
	r.servers = servers
	r.start() // with the configuration of before, as a person would put it back
	check("after a restart")
	t.Logf("%d tool calls, %d requests of routes", calls, asked)
}
