package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/upstream"
)

func TestProgress_ArrivesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	const n = 20
	w.call = func(_ context.Context, c upstream.Call) (upstream.Result, error) {
		for i := range n {
			if c.Progress != nil {
				c.Progress(json.RawMessage(fmt.Sprintf(`{"progressToken":"ours","progress":%d,"message":"m","x":1152921504606846976}`, i)))
			}
		}
		return upstream.Result{Raw: json.RawMessage("{\"content\":[\n{\"type\":\"text\",\"text\":\"done\"}]}")}, nil
	}
	a, _ := w.agent(t)
	for range 50 {
		messages, streamed := a.post("tools/call", `{"name":"call_tool_read","arguments":{"id":"files:read","arguments":{"path":"a"}},"_meta":{"progressToken":7,"k":"v"}}`)
		if !streamed || len(messages) != n+1 {
			t.Fatalf("%d messages, streamed %v", len(messages), streamed)
		}
		for i, m := range messages[:n] {
			sameValue(t, m, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":%d,"message":"m","x":1152921504606846976}}`, i))
		}
		if r := decode(t, resultOf(t, messages[n])); r.text() != "done" {
			t.Fatalf("answer %s", messages[n])
		}
	}
	if got := string(w.lastCall().Meta); got != `{"k":"v"}` {
		t.Errorf("_meta passed on = %s", got)
	}
	if _, streamed := a.post("tools/call", `{"name":"call_tool_read","arguments":{"id":"files:read","arguments":{"path":"a"}}}`); streamed || w.lastCall().Progress != nil {
		t.Error("progress without a token")
	}
	a.header = http.Header{"Accept": {"application/json"}}
	if _, streamed := a.post("tools/call", `{"name":"call_tool_read","arguments":{"id":"files:read","arguments":{"path":"a"}},"_meta":{"progressToken":7}}`); streamed {
		t.Error("an event stream for a client that reads none")
	}
}

func TestProgress_IsSentWhileTheCallRuns(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	seen := make(chan struct{})
	var late func(json.RawMessage)
	w.call = func(_ context.Context, c upstream.Call) (upstream.Result, error) {
		late = c.Progress
		c.Progress(json.RawMessage(`{"progress":1}`))
		<-seen
		return upstream.Result{Raw: json.RawMessage(`{"content":[]}`)}, nil
	}
	a, _ := w.agent(t)
	resp := a.do(t.Context(), http.MethodPost, `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"call_tool_read","arguments":{"id":"files:read","arguments":{"path":"a"}},"_meta":{"progressToken":"t"}}}`)
	defer resp.Body.Close()
	buf := make([]byte, 4096)
	k, err := resp.Body.Read(buf)
	if err != nil || !strings.Contains(string(buf[:k]), `"progressToken":"t"`) {
		t.Fatalf("first event: %s %v", buf[:k], err)
	}
	close(seen)
	k, _ = resp.Body.Read(buf)
	if !strings.Contains(string(buf[:k]), `"id":9`) {
		t.Errorf("answer: %s", buf[:k])
	}
	late(json.RawMessage(`{"progress":2}`)) // after the answer: dropped
}

func TestStream_DeliversAndResumes(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	a, p := w.agent(t)
	p.ToolsChanged()
	p.ToolsChanged() // merged: nobody took the first
	p.LogMessage("files", json.RawMessage(`{"level":"error","data":"lost: nobody listens yet"}`))
	ctx, leave := context.WithCancel(t.Context())
	next := a.listen(ctx, "")
	if _, data := next(); !strings.Contains(data, "notifications/tools/list_changed") {
		t.Fatalf("first event %s", data)
	}
	p.LogMessage("files", json.RawMessage(`{"level":"info","data":"too mild"}`))
	p.LogMessage("files", json.RawMessage(`{"level":"error","logger":"db","data":{"n":1152921504606846976}}`))
	first, data := next()
	sameValue(t, json.RawMessage(data), `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","logger":"files/db","data":{"n":1152921504606846976}}}`)
	a.request("logging/setLevel", `{"level":"debug"}`)
	p.LogMessage("files", json.RawMessage(`{"level":"debug","data":"now wanted"}`))
	if _, data := next(); !strings.Contains(data, "now wanted") {
		t.Fatalf("after setLevel: %s", data)
	}
	leave()
	p.LogMessage("files", json.RawMessage(`{"level":"error","data":"while away"}`))
	next = a.listen(t.Context(), first)
	for _, want := range []string{"now wanted", "while away"} {
		if _, data := next(); !strings.Contains(data, want) {
			t.Errorf("resumed: %q, want %q", data, want)
		}
	}
}

func TestStream_CallsStayJSONAfterABroadcast(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	a, p := w.agent(t)
	p.ToolsChanged()
	if _, streamed := a.post("tools/call", `{"name":"retrieve_tools","arguments":{"query":"file"}}`); streamed {
		t.Error("a broadcast turned a call into an event stream")
	}
}

func TestSession_Lifecycle(t *testing.T) {
	t.Parallel()
	a, p := newWorld().agent(t)
	next := a.listen(t.Context(), "")
	status := func(method, body string, header http.Header) int {
		b := &agent{t: t, url: a.url, session: a.session, header: header}
		resp := b.do(t.Context(), method, body)
		resp.Body.Close()
		return resp.StatusCode
	}
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	if got := status(http.MethodGet, "", http.Header{"Mcp-Protocol-Version": {"1999-01-01"}}); got != http.StatusBadRequest {
		t.Errorf("GET of an unknown revision: %d", got)
	}
	if got := status(http.MethodDelete, "", http.Header{}); got != http.StatusOK {
		t.Errorf("DELETE: %d", got)
	}
	if _, data := next(); data != "" {
		t.Errorf("the stream of an ended session gave %s", data)
	}
	for method, body := range map[string]string{http.MethodPost: ping, http.MethodGet: "", http.MethodDelete: ""} {
		if got := status(method, body, http.Header{}); got != http.StatusNotFound {
			t.Errorf("%s after DELETE: %d, want 404", method, got)
		}
	}
	if n := len(p.sessions.byID); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	a.session = ""
	if got := status(http.MethodGet, "", http.Header{}); got != http.StatusBadRequest {
		t.Errorf("GET without a session: %d", got)
	}
}

func TestSessions_Evict(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	table := newSessions()
	table.now = func() time.Time { return now }
	first := table.Generate()
	busy := table.Generate()
	table.find(busy).stream.attach()
	for range maxSessions {
		now = now.Add(time.Second)
		table.Generate()
	}
	if len(table.byID) != maxSessions || table.find(first) != nil || table.find(busy) == nil {
		t.Errorf("%d sessions; first there: %v, busy there: %v", len(table.byID), table.find(first) != nil, table.find(busy) != nil)
	}
	now = now.Add(sessionTTL + time.Second)
	table.find(busy)
	table.Generate()
	if len(table.byID) != 2 {
		t.Errorf("%d sessions after a day, want 2", len(table.byID))
	}
}

func TestStream_NewestConnectionTakes(t *testing.T) {
	t.Parallel()
	s := newStream()
	old, newest := s.attach(), s.attach()
	s.publish("", []byte("a"))
	if _, ok, _, _ := s.take(old); ok {
		t.Error("the older connection took the message")
	}
	e, ok, _, _ := s.take(newest)
	if !ok {
		t.Fatal("the newest connection got nothing")
	}
	s.giveBack(e)
	s.detach(newest)
	if _, ok, _, _ := s.take(old); !ok {
		t.Error("the older connection did not take over what was given back")
	}
}

func TestStream_Bound(t *testing.T) {
	t.Parallel()
	s := newStream()
	for range 10_000 {
		s.publish("", make([]byte, 1000))
	}
	if len(s.events) > maxEvents || s.bytes > maxEventBytes {
		t.Errorf("%d events, %d bytes", len(s.events), s.bytes)
	}
	e, ok, _, _ := s.take(s.attach())
	if !ok || e.number != s.events[0].number {
		t.Errorf("take = %d, %v", e.number, ok)
	}
}

func TestClose_EndsStreams(t *testing.T) {
	t.Parallel()
	a, p := newWorld().agent(t)
	next := a.listen(t.Context(), "")
	var ended sync.WaitGroup
	ended.Go(func() { next() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	ended.Wait()
}
