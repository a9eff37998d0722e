package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// callsEach is how many calls each of the agents makes; make soak-quarantine
// raises it.
func callsEach() int { return soak("MCPPROXY_SOAK_CALLS", 60) }

// seen counts what the upstreams were asked to do, by nonce.
type seen struct {
	mu    sync.Mutex
	count map[string]int
	waits map[string]context.CancelFunc // cancel the call once it has arrived
}

func (s *seen) note(args json.RawMessage) {
	var a struct{ Text string }
	_ = json.Unmarshal(args, &a)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[a.Text]++
	if cancel := s.waits[a.Text]; cancel != nil {
		cancel()
	}
}

// TestRecord_CountsWhatTheUpstreamsCount lets agents call over three transports,
// with errors, cancellations and servers that die, and compares the record with
// what the upstreams were asked, call by call.
func TestRecord_CountsWhatTheUpstreamsCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.top["audit_arguments"] = true
	s := &seen{count: map[string]int{}, waits: map[string]context.CancelFunc{}}
	script := upstreamtest.Script{Tools: []json.RawMessage{upstreamtest.Tool("echo"), upstreamtest.Tool("refuse"), upstreamtest.Tool(upstreamtest.Hang), upstreamtest.Tool(upstreamtest.Die)}}
	for name, transport := range map[string]string{"web": upstream.HTTP, "stream": upstream.SSE} {
		srv := &upstreamtest.Server{Script: script}
		srv.Arrived = s.note
		srv.OnCall = func(_ context.Context, name string, _ json.RawMessage) (json.RawMessage, error) {
			if name == "refuse" {
				return nil, errors.New("no")
			}
			return json.RawMessage(`{"content":[]}`), nil
		}
		r.serve(name, transport, srv)
	}
	child := script
	child.Journal = r.journalPath("child")
	r.add("child", upstream.Stdio, child)
	r.start()
	servers := []string{"child", "stream", "web"}
	for _, name := range servers {
		r.approve(name)
		r.synced(name)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		agent := r.agent()
		wg.Go(func() { r.callMany(agent, servers, fmt.Sprintf("agent%d", i), s) })
	}
	wg.Wait()
	for _, m := range r.journal("child", upstreamtest.Called) {
		s.note(json.RawMessage(m.Note))
	}
	// An agent does not wait for what it cancelled: its last call may still be on the way.
	var entries []audit.Entry
	realtest.Until(t, "every call on record", func() (err error) {
		if entries, err = r.app.audit.List(audit.Filter{What: audit.Call}); err == nil && len(entries) < 8*callsEach() {
			err = fmt.Errorf("%d calls on record, %d were made", len(entries), 8*callsEach())
		}
		return err
	})
	compareRecord(t, entries, s)
}

// callMany makes the calls of one agent, one after the other.
func (r *rig) callMany(agent *mcpclient.Session, servers []string, who string, s *seen) {
	for i := range callsEach() {
		server, name := servers[i%len(servers)], "echo"
		nonce := fmt.Sprintf("%s-%d", who, i)
		ctx, cancel := context.WithCancel(r.t.Context())
		switch {
		case i%7 == 3:
			name = "refuse"
		case i%7 == 5 && server != "child":
			name = upstreamtest.Hang
			s.mu.Lock()
			s.waits[nonce] = cancel
			s.mu.Unlock()
		case i%29 == 17:
			name = upstreamtest.Die
		case i%11 == 7:
			name = "missing"
		}
		_, _ = agent.Call(ctx, "call_tool_destructive", map[string]any{"id": server + ":" + name, "arguments": map[string]any{"text": nonce}})
		cancel()
	}
}

// compareRecord looks at every call that was made: one entry each, and the sent
// ones are what the upstreams counted but for calls lost with a dying server.
func compareRecord(t *testing.T, entries []audit.Entry, s *seen) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	recorded, outcomes, lost, sent := map[string]audit.Entry{}, map[string]int{}, 0, 0
	for _, e := range entries {
		var a struct{ Text string }
		if err := json.Unmarshal(e.Arguments, &a); err != nil {
			t.Fatal(err)
		}
		if _, twice := recorded[a.Text]; twice {
			t.Errorf("%s is on record twice", a.Text)
		}
		recorded[a.Text] = e
		outcomes[e.Outcome]++
		switch {
		case e.Actor != audit.Agent || e.Request == "" || e.Session == "" || e.Micros <= 0 || e.Server == "" || e.Tool == "" || e.Sent == 0:
			t.Errorf("incomplete: %+v", e)
		case e.Outcome == audit.Refused || e.Outcome == audit.Unsent:
			if s.count[a.Text] != 0 {
				t.Errorf("%s was %s, and the upstream was asked", a.Text, e.Outcome)
			}
			continue
		case e.Hash == "":
			t.Errorf("without the definition's hash: %+v", e)
		}
		sent++
		if n := s.count[a.Text]; n != 1 {
			if lost++; n > 1 || e.Outcome != audit.Failed {
				t.Errorf("%s is %s on record, and the upstream was asked %d times", a.Text, e.Outcome, n)
			}
		}
	}
	asked := 0
	for nonce, n := range s.count {
		asked += n
		if _, there := recorded[nonce]; !there {
			t.Errorf("%s is not on record", nonce)
		}
	}
	if all := 8 * callsEach(); len(recorded) != all {
		t.Errorf("%d calls on record, %d were made", len(recorded), all)
	}
	for _, o := range []string{audit.OK, audit.Failed, audit.Cancelled, audit.Refused} {
		if outcomes[o] == 0 {
			t.Errorf("no call was %s: %v", o, outcomes)
		}
	}
	if sent-lost != asked {
		t.Errorf("%d sent and %d lost on the way on record, the upstreams were asked %d times", sent, lost, asked)
	}
	var words []string
	for o, n := range outcomes {
		words = append(words, fmt.Sprintf("%s %d", o, n))
	}
	t.Logf("%d calls (%s), %d lost with a server, %d arrived", len(recorded), strings.Join(words, ", "), lost, asked)
}
