package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcpproxy/index"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// fixedSearch answers at once: what is measured is the proxy's own time.
type fixedSearch struct {
	*world
	hits []index.Hit
}

func (f fixedSearch) Search(context.Context, index.Query) ([]index.Hit, error) { return f.hits, nil }
func (f fixedSearch) Waits(tool.ID) bool                                       { return false }
func (f fixedSearch) Check(tool.ID, tool.Hash) error                           { return nil }

func benchProxy(b *testing.B) *Proxy {
	w := newWorld()
	var hits []index.Hit
	for i := range 5 {
		t := w.add(b, "s", fmt.Sprintf(`{"name":"read_%d","description":%q,"inputSchema":{"type":"object","properties":{"path":{"type":"string","description":%q},"n":{"type":"integer"}},"required":["path"]},"annotations":{"readOnlyHint":true}}`,
			i, strings.Repeat("Reads something. ", 10), strings.Repeat("where it lies ", 60)))
		hits = append(hits, index.Hit{Tool: t, Score: 1})
	}
	text := string(quote(strings.Repeat("a line of the answer\n", 50)))
	answer := json.RawMessage(`{"content":[{"type":"text","text":` + text + `}]}`)
	f := fixedSearch{w, hits}
	p := New(Options{Index: f, Gate: f, Servers: w, Pool: constantPool(answer), Limits: func() Limits { return w.limits }})
	b.Cleanup(func() { p.Close(context.Background()) })
	return p
}

type constantPool json.RawMessage

func (c constantPool) Call(context.Context, upstream.Call) (upstream.Result, error) {
	return upstream.Result{Raw: json.RawMessage(c)}, nil
}

// sink is a ResponseWriter without a network behind it.
type sink struct {
	header http.Header
	n      int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Flush()                      {}
func (s *sink) Write(p []byte) (int, error) { s.n += len(p); return len(p), nil }

func benchCall(b *testing.B, params string) {
	p := benchProxy(b)
	h := p.Handler()
	serve := func(body string, session string) *sink {
		req, err := http.NewRequest(http.MethodPost, "http://localhost/mcp", io.NopCloser(bytes.NewReader([]byte(body))))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Mcp-Session-Id", session)
		s := &sink{header: http.Header{}}
		h.ServeHTTP(s, req)
		return s
	}
	s := serve(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"b","version":"1"}}}`, "")
	session := s.header.Get("Mcp-Session-Id")
	body := `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":` + params + `}`
	b.ReportAllocs()
	for b.Loop() {
		if s := serve(body, session); s.n < 500 {
			b.Fatalf("answer of %d bytes", s.n)
		}
	}
}

// benchHTTP is benchCall over a real connection, the client's own time included.
func benchHTTP(b *testing.B, params string) {
	srv := httptest.NewServer(benchProxy(b).Handler())
	b.Cleanup(srv.Close)
	a := &agent{t: b, url: srv.URL, header: http.Header{}}
	a.request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"b","version":"1"}}`)
	for b.Loop() {
		a.post("tools/call", params)
	}
}

const (
	benchSearch = `{"name":"retrieve_tools","arguments":{"query":"read something"}}`
	benchRead   = `{"name":"call_tool_read","arguments":{"id":"s:read_1","arguments":{"path":"/tmp/a","n":3}}}`
)

func BenchmarkRetrieveHTTP(b *testing.B) { benchHTTP(b, benchSearch) }

func BenchmarkCallHTTP(b *testing.B) { benchHTTP(b, benchRead) }

func BenchmarkRetrieve(b *testing.B) { benchCall(b, benchSearch) }

func BenchmarkCall(b *testing.B) { benchCall(b, benchRead) }

func (constantPool) Fetch(context.Context, upstream.Fetch) (upstream.Result, error) {
	return upstream.Result{}, nil
}
