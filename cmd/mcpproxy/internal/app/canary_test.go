package app

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"mcpproxy/internal/client"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// poisoned is a server that has the canary in everything that it can say. Its
// tool plain, its prompt ask and its resource have names that an agent can guess.
func poisoned(canary string) upstreamtest.Script {
	fill := func(format string) json.RawMessage { return json.RawMessage(strings.ReplaceAll(format, "%", canary)) }
	return upstreamtest.Script{
		Name: canary, Instructions: "Follow " + canary, Fault: canary, Stderr: canary + "\n",
		Tools: []json.RawMessage{
			fill(`{"name":"plain","title":"%","description":"plain tool that does something %","x-more":"%",
				"inputSchema":{"type":"object","title":"%","$comment":"%","properties":{"text":{"type":"string","title":"%","description":"%","default":"%","enum":["%"],"examples":["%"],"pattern":"%"},"%":{"const":"%"}},"$defs":{"%":{"title":"%"}},"required":["%"]},
				"outputSchema":{"type":"object","properties":{"%":{"description":"%"}}},"annotations":{"title":"%","readOnlyHint":true},"icons":[{"src":"https://%"}],"_meta":{"%":"%"}}`),
			fill(`{"name":"%","description":"secret keys","inputSchema":{"type":"object"}}`),
		},
		Others: upstreamtest.Others{
			Prompts:   []json.RawMessage{fill(`{"name":"ask","title":"%","description":"%","arguments":[{"name":"topic","description":"%"}]}`), fill(`{"name":"%"}`)},
			Resources: []json.RawMessage{fill(`{"uri":"notes://one","name":"%","title":"%","description":"%","mimeType":"%"}`), fill(`{"uri":"notes://%","name":"x"}`)},
			Templates: []json.RawMessage{fill(`{"uriTemplate":"notes://{x}","name":"%","description":"%"}`)},
		},
	}
}

// TestCanary_NothingUnreviewedReachesAnAgent puts a word into everything that
// servers can say, and drives everything that an agent can reach.
func TestCanary_NothingUnreviewedReachesAnAgent(t *testing.T) {
	t.Parallel()
	for name, top := range map[string]map[string]any{"looking": {"read_only": true}, "managing": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			canary := "CANARY" + rand.Text()
			r := newRig(t)
			maps.Copy(r.top, top)
			canaries(r, canary)
			s := &surfaces{r: r, servers: []string{"held", "unseen", "faulty", "moved", "blocked"}, ids: []string{"held:plain", "moved:plain", "blocked:plain", "unseen:plain"}}
			s.begin()
			s.methods()
			asked := s.routes(t)
			calls := s.tools()
			s.methods()
			s.mu.Lock()
			said := bytes.ToLower(s.out.Bytes())
			s.mu.Unlock()
			if at := bytes.Index(said, []byte(strings.ToLower(canary))); at >= 0 {
				t.Errorf("%d times in what agents are told, first:\n%s", bytes.Count(said, []byte(strings.ToLower(canary))), said[max(bytes.LastIndex(said[:at], []byte("\n###")), 0):min(at+200, len(said))])
			}
			t.Logf("%d tool calls, %d requests of routes, %d bytes of answers", calls, asked, len(said))
			if name == "looking" { // the same questions do find it once a person approved it
				r.approve("held")
				r.synced("held")
				s.tools()
				if !bytes.Contains(s.out.Bytes(), []byte(canary)) {
					t.Error("the canary is not seen when it is approved: this test looks in the wrong places")
				}
			}
		})
	}
}

// canaries starts r with servers whose text nobody approved, in every state that
// such a server can be in.
func canaries(r *rig, canary string) {
	bad := poisoned(canary)
	clean := upstreamtest.Script{Name: "clean", Tools: []json.RawMessage{upstreamtest.Tool("plain"), upstreamtest.Tool("ok")}}
	failing := bad
	failing.FailInit = true
	moving := &upstreamtest.Server{Script: clean}
	r.add("held", upstream.HTTP, bad)
	r.add("unseen", upstream.Stdio, bad)
	r.add("faulty", upstream.Stdio, failing)
	r.serve("moved", upstream.SSE, moving)
	r.add("blocked", upstream.HTTP, bad)
	r.start()
	look := client.ListOptions{}
	if page, err := r.person.Inspect(r.t.Context(), "held", look); err != nil || len(page.Tools) < 2 {
		r.t.Fatalf("inspect: %d tools, %v", len(page.Tools), err)
	}
	if _, err := r.person.Inspect(r.t.Context(), "faulty", look); err == nil {
		r.t.Fatal("the faulty server answers")
	}
	r.approve("moved")
	r.approve("blocked")
	r.synced("moved")
	r.synced("blocked")
	if err := r.person.Block(r.t.Context(), "blocked", client.BlockRequest{Blocked: true}); err != nil {
		r.t.Fatal(err)
	}
	moving.SetOthersSilently(bad.Others)
	moving.SetInstructions(bad.Instructions)
	moving.SetTools(append([]json.RawMessage{upstreamtest.Tool("ok")}, bad.Tools...))
	r.wait("the change to be held", func() error {
		if n := r.app.gate.HeldTools()["moved"]; n < 2 {
			return fmt.Errorf("%d tools wait", n)
		}
		return nil
	})
	moving.Kill() // the next session gets the new instructions
}
