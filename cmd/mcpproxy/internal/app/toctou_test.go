package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// rounds is how often a definition changes between a search and the call;
// make soak-quarantine does it 10,000 times.
func rounds() int {
	if testing.Short() {
		return soak("MCPPROXY_SOAK_TOCTOU", 30)
	}
	return soak("MCPPROXY_SOAK_TOCTOU", 200)
}

func versionOf(n int) json.RawMessage {
	return fmt.Appendf(nil, `{"name":"plain","description":"plain tool, version %d","inputSchema":{"type":"object"}}`, n)
}

// TestCall_NotWhatWasShown changes a tool between retrieve_tools and the call,
// each time in one of three ways, and counts what the server was asked to do.
func TestCall_NotWhatWasShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var calls atomic.Int64
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{versionOf(0)}}}
	srv.OnCall = func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
		calls.Add(1)
		return json.RawMessage(`{"content":[]}`), nil
	}
	r.serve("s", upstream.SSE, srv)
	r.start()
	r.approve("s")
	r.synced("s")
	agent := r.agent()
	for n := range rounds() {
		shown := r.shownTo(agent, n)
		before := calls.Load()
		if _, err := callPlain(t, agent); err != nil || calls.Load() != before+1 {
			t.Fatalf("round %d: what was shown is not called: %v", n, err)
		}
		next, err := tool.Decode("s", versionOf(n+1))
		if err != nil {
			t.Fatal(err)
		}
		srv.SetTools([]json.RawMessage{versionOf(n + 1)})
		r.wait("the announcement", func() error { // the stream carries it; what follows must not pass it
			if listed, _ := r.app.pool.Tools(t.Context(), "s"); n%3 != 0 && (len(listed) == 0 || listed[0].Hash() != next.Hash()) {
				return fmt.Errorf("not listed")
			}
			if n%3 == 0 && r.app.gate.Check(tool.ID{Server: "s", Name: "plain"}, shown) == nil {
				return fmt.Errorf("not held")
			}
			return nil
		})
		if n%3 == 2 { // a person approves the new text at once: the agent does not know it
			r.approveTool(next)
		}
		if raw, err := callPlain(t, agent); err == nil || calls.Load() != before+1 {
			t.Fatalf("round %d: a tool that is not what was shown was called: %s", n, raw)
		}
		if n%3 != 2 {
			r.approveTool(next)
		}
	}
	t.Logf("%d rounds", rounds())
}

func callPlain(t *testing.T, agent *mcpclient.Session) (json.RawMessage, error) {
	return agent.Call(t.Context(), "call_tool_destructive", map[string]any{"id": "s:plain", "arguments": map[string]any{}})
}

// shownTo searches until the agent is shown version n, and returns its hash.
func (r *rig) shownTo(agent *mcpclient.Session, n int) tool.Hash {
	r.t.Helper()
	r.wait(fmt.Sprintf("version %d to be found", n), func() error {
		raw, err := agent.Call(r.t.Context(), "retrieve_tools", map[string]any{"query": "plain tool"})
		if err == nil && !strings.Contains(string(raw), fmt.Sprintf("version %d\"", n)) && !strings.Contains(string(raw), fmt.Sprintf("version %d\\\"", n)) {
			err = fmt.Errorf("%s", raw)
		}
		return err
	})
	t, err := tool.Decode("s", versionOf(n))
	if err != nil {
		r.t.Fatal(err)
	}
	return t.Hash()
}

// approveTool approves one definition as soon as it waits.
func (r *rig) approveTool(want tool.Tool) {
	r.t.Helper()
	r.wait("the new text to wait", func() error {
		return r.app.gate.Approve(want.ID, want.Hash())
	})
}
