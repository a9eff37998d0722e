package proxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcpproxy/index"
	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// world is a small real everything behind a Proxy: an index that matches words,
// a gate with a set of approved hashes, a pool of functions, a list of servers.
type world struct {
	mu       sync.Mutex
	tools    []tool.Tool
	held     map[tool.ID]bool
	call     func(ctx context.Context, c upstream.Call) (upstream.Result, error)
	calls    []upstream.Call
	fetch    func(ctx context.Context, f upstream.Fetch) (json.RawMessage, error)
	fetches  []upstream.Fetch
	others   map[string][]tool.Tool
	servers  []client.Server
	changes  []client.ServerChange
	log      []string
	limits   Limits
	policy   Policy
	overview Overview
	fit      float64 // of every hit
	meter    Meter
}

func newWorld() *world {
	return &world{
		held:   map[tool.ID]bool{},
		limits: Limits{TopK: 5, ToolsLimit: 15, ResponseLimit: 20000},
		policy: Policy{AllowAdd: true, AllowRemove: true},
		fetch: func(_ context.Context, f upstream.Fetch) (json.RawMessage, error) {
			return json.RawMessage(`{"fetched":` + string(quote(f.ID.Name)) + `}`), nil
		},
		call: func(context.Context, upstream.Call) (upstream.Result, error) {
			return upstream.Result{Raw: json.RawMessage(`{"content":[{"type":"text","text":"done"}]}`)}, nil
		},
	}
}

func (w *world) add(t testing.TB, server, definition string) tool.Tool {
	t.Helper()
	def, err := tool.Decode(server, json.RawMessage(definition))
	if err != nil {
		t.Fatal(err)
	}
	w.tools = append(w.tools, def)
	for i := range w.overview.Servers {
		if w.overview.Servers[i].Name == server {
			w.overview.Servers[i].Tools++
			return def
		}
	}
	w.overview.Servers = append(w.overview.Servers, ServerTools{Name: server, Tools: 1})
	slices.SortFunc(w.overview.Servers, func(x, y ServerTools) int { return strings.Compare(x.Name, y.Name) })
	return def
}

// addOther adds what is no tool; offer puts it on the shelf.
func (w *world) addOther(t testing.TB, kind tool.Kind, server, definition string) tool.Tool {
	t.Helper()
	def, err := tool.DecodeAs(kind, server, json.RawMessage(definition))
	if err != nil {
		t.Fatal(err)
	}
	if w.others == nil {
		w.others = map[string][]tool.Tool{}
	}
	w.others[server] = append(w.others[server], def)
	return def
}

// offer gives the proxy everything that addOther added, held or admitted as the
// gate says.
func (w *world) offer(p *Proxy) {
	for server, list := range w.others {
		var admitted []tool.Tool
		var held []tool.ID
		for _, o := range list {
			if w.held[o.ID] {
				held = append(held, o.ID)
			} else {
				admitted = append(admitted, o)
			}
		}
		p.Offer(server, admitted, held)
	}
}

func (w *world) Get(id tool.ID) (tool.Tool, bool) {
	for _, t := range w.tools {
		if t.ID == id {
			return t, true
		}
	}
	return tool.Tool{}, false
}

// Search finds tools that share a word with the query, in their order.
func (w *world) Search(_ context.Context, q index.Query) ([]index.Hit, error) {
	var hits []index.Hit
	split := func(r rune) bool { return strings.ContainsRune(" _:.", r) }
	for _, t := range w.tools {
		text := " " + strings.Join(strings.FieldsFunc(strings.ToLower(t.ID.Name+" "+t.Description), split), " ") + " "
		for _, word := range strings.FieldsFunc(strings.ToLower(q.Text), split) {
			if strings.Contains(text, " "+word+" ") && (q.Server == "" || q.Server == t.ID.Server) && len(hits) < q.Limit {
				hits = append(hits, index.Hit{Tool: t, Score: 1 / float64(len(hits)+1), Explain: index.Explain{Fit: w.fit}})
				break
			}
		}
	}
	return hits, nil
}

func (w *world) Waits(id tool.ID) bool { return w.held[id] }

func (w *world) Check(id tool.ID, h tool.Hash) error {
	t, ok := w.Get(id)
	for _, o := range w.others[id.Server] {
		if o.ID == id {
			t, ok = o, true
		}
	}
	if w.held[id] || !ok || t.Hash() != h {
		return errors.New("CANARY held text")
	}
	return nil
}

func (w *world) Call(ctx context.Context, c upstream.Call) (upstream.Result, error) {
	w.mu.Lock()
	w.calls = append(w.calls, c)
	call := w.call
	w.mu.Unlock()
	return call(ctx, c)
}

func (w *world) Fetch(ctx context.Context, f upstream.Fetch) (upstream.Result, error) {
	w.mu.Lock()
	w.fetches = append(w.fetches, f)
	fetch := w.fetch
	w.mu.Unlock()
	raw, err := fetch(ctx, f)
	return upstream.Result{Raw: raw, Sent: true}, err
}

func (w *world) lastCall() upstream.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.calls) == 0 {
		return upstream.Call{}
	}
	return w.calls[len(w.calls)-1]
}

func (w *world) ListServers(context.Context) ([]client.Server, error) { return w.servers, nil }

func (w *world) AddServer(_ context.Context, add client.ServerChange) (client.Server, error) {
	w.changes = append(w.changes, add)
	s := client.Server{Name: *add.Name, State: "held", Enabled: true}
	w.servers = append(w.servers, s)
	return s, nil
}

func (w *world) UpdateServer(_ context.Context, name string, c client.ServerChange) (client.Server, error) {
	for i := range w.servers {
		if w.servers[i].Name == name {
			w.changes = append(w.changes, c)
			if c.Enabled != nil && !*c.Enabled {
				w.servers[i].State = "disabled"
			}
			return w.servers[i], nil
		}
	}
	return client.Server{}, &client.Error{Code: "not_found", Message: fmt.Sprintf("no server is called %q", name), Hint: "mcpproxy upstream list"}
}

func (w *world) RemoveServer(context.Context, string) error  { return nil }
func (w *world) RestartServer(context.Context, string) error { return nil }
func (w *world) Logs(context.Context, string, int) ([]string, error) {
	return w.log, nil
}

func (w *world) open(t testing.TB) *Proxy {
	t.Helper()
	p := New(Options{Index: w, Gate: w, Pool: w, Servers: w, Version: "test", Meter: w.meter,
		Limits: func() Limits { return w.limits }, Policy: func() Policy { return w.policy }, Overview: func() Overview { return w.overview }})
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// agent is a raw MCP client: it shows every byte.
type agent struct {
	t       testing.TB
	url     string
	session string
	header  http.Header
	next    int
}

func (w *world) agent(t testing.TB) (*agent, *Proxy) {
	t.Helper()
	p := w.open(t)
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(srv.Close)
	a := &agent{t: t, url: srv.URL, header: http.Header{}}
	a.request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`)
	return a, p
}

func (a *agent) do(ctx context.Context, method, body string) *http.Response {
	a.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, a.url, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header = a.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json, text/event-stream")
	}
	if a.session != "" {
		req.Header.Set("Mcp-Session-Id", a.session)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		a.session = id
	}
	return resp
}

// post sends one request and returns the messages of the answer, the response
// last, and whether they came as an event stream.
func (a *agent) post(method, params string) (messages []json.RawMessage, streamed bool) {
	a.t.Helper()
	a.next++
	resp := a.do(context.Background(), http.MethodPost, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, a.next, method, params))
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return []json.RawMessage{bytes.TrimSpace(body)}, false
	}
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			messages = append(messages, data)
		}
	}
	return messages, true
}

// request returns the result of one request.
func (a *agent) request(method, params string) json.RawMessage {
	a.t.Helper()
	messages, _ := a.post(method, params)
	return resultOf(a.t, messages[len(messages)-1])
}

func resultOf(t testing.TB, message json.RawMessage) json.RawMessage {
	t.Helper()
	var m struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		t.Fatalf("bad message %.300s: %v", message, err)
	}
	if m.Error != nil {
		t.Fatalf("error %s", m.Error)
	}
	return m.Result
}

// tool calls one tool of the menu.
func (a *agent) tool(name, args string) json.RawMessage {
	a.t.Helper()
	return a.request("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, name, args))
}

type result struct {
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	StructuredContent json.RawMessage `json:"structuredContent"`
	IsError           bool            `json:"isError"`
}

func (r result) text() string {
	var b strings.Builder
	for _, c := range r.Content {
		b.WriteString(c.Text)
	}
	return b.String()
}

func decode(t testing.TB, raw json.RawMessage) result {
	t.Helper()
	var r result
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("bad result %.300s: %v", raw, err)
	}
	return r
}

// listen opens the GET stream and returns a function that reads the next event.
func (a *agent) listen(ctx context.Context, lastEventID string) (next func() (id, data string)) {
	a.t.Helper()
	b := &agent{t: a.t, url: a.url, session: a.session, header: http.Header{"Accept": {"text/event-stream"}}}
	if lastEventID != "" {
		b.header.Set("Last-Event-ID", lastEventID)
	}
	resp := b.do(ctx, http.MethodGet, "")
	if resp.StatusCode != http.StatusOK {
		a.t.Fatalf("GET: %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	a.t.Cleanup(func() { resp.Body.Close() })
	return func() (id, data string) {
		for lines.Scan() {
			line := lines.Text()
			if rest, ok := strings.CutPrefix(line, "id: "); ok {
				id = rest
			}
			if rest, ok := strings.CutPrefix(line, "data: "); ok {
				data = rest
			}
			if line == "" && data != "" {
				return id, data
			}
		}
		return "", ""
	}
}
