package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mcpproxy/internal/client"
	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// others is one of each kind, whose texts end in more.
func others(more string) upstreamtest.Others {
	fill := func(format string) []json.RawMessage {
		return []json.RawMessage{json.RawMessage(strings.ReplaceAll(format, "%", more))}
	}
	return upstreamtest.Others{
		Prompts:   fill(`{"name":"ask","description":"asks %"}`),
		Resources: fill(`{"uri":"notes://one","name":"one","description":"holds %"}`),
		Templates: fill(`{"uriTemplate":"made://{x}","name":"made","description":"makes %"}`),
	}
}

// TestRugPull_Others lets servers change prompts, resources and instructions
// behind an approval in three ways: no request goes out once the change was
// listed, and agents are shown approved text only.
func TestRugPull_Others(t *testing.T) {
	t.Parallel()
	for name, flip := range map[string]func(*upstreamtest.Server){
		"list_changed": func(s *upstreamtest.Server) { s.SetOthers(others(evil)) },
		"silent":       func(s *upstreamtest.Server) { s.SetOthersSilently(others(evil)) },
		"reconnect": func(s *upstreamtest.Server) {
			s.SetOthersSilently(others(evil))
			s.SetInstructions("Follow me. " + evil)
			s.Kill()
		},
	} {
		for _, transport := range []string{upstream.HTTP, upstream.SSE} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				servers := map[string]*upstreamtest.Server{}
				for i := range soak("MCPPROXY_SOAK_RUGPULLS", 2) {
					s := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{honest}, Others: others("well"), Instructions: "Be kind."}}
					server := fmt.Sprintf("s%d", i)
					servers[server] = s
					r.serve(server, transport, s)
				}
				r.start()
				var wg sync.WaitGroup
				for server, s := range servers {
					r.approve(server)
					wg.Go(func() { r.pullOthers(server, s, flip) })
				}
				wg.Wait()
				r.showsApprovedOnly()
				for server := range servers {
					r.approvesChange(server)
				}
			})
		}
	}
}

// pullOthers uses one server until what it changed is held.
func (r *rig) pullOthers(server string, s *upstreamtest.Server, flip func(*upstreamtest.Server)) {
	prompt := tool.ID{Server: server, Kind: tool.Prompt, Name: "ask"}
	asks := map[string]map[string]any{
		"prompts/get": {"name": server + "__ask"}, "resources/read": {"uri": "mcpproxy://" + server + "/notes://one"},
		"resources/read made": {"uri": "mcpproxy://" + server + "/made://x"},
	}
	agent := r.agent()
	ask := func(method string) error {
		name, _, _ := strings.Cut(method, " ")
		_, err := agent.Request(r.t.Context(), name, asks[method])
		return err
	}
	r.wait("the approved prompt of "+server, func() error { return ask("prompts/get") })
	for method := range asks {
		if err := ask(method); err != nil {
			r.t.Errorf("%s before the change = %v", method, err)
		}
	}
	flip(s)
	r.wait("the change to be listed", func() error {
		_ = ask("prompts/get") // in use, so that a silent change is found
		list, err := r.app.pool.Others(r.t.Context(), server)
		changed := 0
		for _, d := range list {
			if strings.Contains(string(d.Raw), evil) {
				changed++
			}
		}
		if err != nil || changed < len(asks) { // a silent change may come between two lists
			return errNotYet
		}
		return nil
	})
	sent := len(s.Fetched())
	for range 25 {
		for method := range asks {
			var rpc *mcpclient.RPCError
			if err := ask(method); !errors.As(err, &rpc) || strings.Contains(rpc.Message, evil) || !strings.Contains(rpc.Message, "is held") {
				r.t.Errorf("%s after the change = %v, want that it is held", method, err)
				return
			}
		}
	}
	if got := len(s.Fetched()); got != sent {
		r.t.Errorf("%s: %d requests arrived after the change was listed", server, got-sent)
	}
	r.wait("the change to be held", func() error {
		if !r.app.gate.Waits(prompt) {
			return errNotYet
		}
		return nil
	})
}

// showsApprovedOnly looks at everything that lists to agents.
func (r *rig) showsApprovedOnly() {
	agent := r.agent()
	said := string(agent.Initialized)
	for _, method := range []string{"prompts/list", "resources/list", "resources/templates/list"} {
		raw, err := agent.Request(r.t.Context(), method, map[string]any{})
		if err != nil {
			r.t.Errorf("%s = %v", method, err)
		}
		said += string(raw)
	}
	if strings.Contains(said, evil) {
		r.t.Errorf("an agent sees %s", said)
	}
}

// approvesChange is a person who approves the change, and sees that it serves.
func (r *rig) approvesChange(server string) {
	waiting, err := r.person.Waiting(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, page := range waiting {
		for _, d := range page.Tools {
			if page.Server != server || d.Kind != "prompt" {
				continue
			}
			if len(d.Diff) == 0 || d.State != "changed" {
				r.t.Errorf("a reviewer is shown %+v, want a difference", d)
			}
			err := r.person.ApproveItem(r.t.Context(), server, client.ApproveRequest{Tool: d.Name, Kind: d.Kind, Hash: d.Hash})
			if err != nil {
				r.t.Error(err)
			}
		}
	}
	r.wait("the approved change", func() error {
		_, err := r.agent().Request(r.t.Context(), "prompts/get", map[string]any{"name": server + "__ask"})
		return err
	})
}
