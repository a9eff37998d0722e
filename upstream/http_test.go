package upstream_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// remotePool returns a pool on the real dialers with the ready server "a".
func remotePool(t *testing.T, s upstream.Spec, h http.Handler) *upstream.Pool {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	p := upstream.NewPool(upstream.Options{})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Name, s.URL = "a", web.URL+s.URL
	apply(t, p, s)
	awaitState(t, p, "a", upstream.Ready)
	return p
}

func TestPool_HTTP_KeepsRawBytes(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: append(upstreamtest.Tools("t", 9), upstreamtest.OddTool), PageSize: 3}}
	p := remotePool(t, upstream.Spec{Transport: upstream.HTTP}, srv.Handler())
	tools, err := p.Tools(t.Context(), "a")
	if err != nil || len(tools) != 10 || string(tools[9].Raw) != string(upstreamtest.OddTool) {
		t.Fatalf("Tools = %v, %v", tools, err)
	}
	res, err := call(t, p, "a", "odd")
	if err != nil || string(res.Raw) != string(upstreamtest.OddResult) {
		t.Errorf("Call = %s, %v", res.Raw, err)
	}
}

func TestPool_HTTP_LostSessionIsInitializedAgain(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
	h := srv.Handler()
	p := remotePool(t, upstream.Spec{Transport: upstream.HTTP}, h)
	h.Forget()
	if _, err := call(t, p, "a", "t0"); !errors.Is(err, upstream.ErrSessionLost) {
		t.Errorf("Call = %v, want ErrSessionLost", err)
	}
	if _, err := call(t, p, "a", "t0"); err != nil {
		t.Errorf("the next call: %v", err)
	}
	if _, _, calls := srv.Counts(); calls != 1 {
		t.Errorf("calls = %d, want 1", calls)
	}
}

func TestPool_HTTP_UnauthorizedNeedsLogin(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	h := srv.Handler()
	p := remotePool(t, upstream.Spec{Transport: upstream.HTTP}, h)
	h.Refuse(http.StatusUnauthorized)
	if _, err := call(t, p, "a", "t"); !errors.Is(err, upstream.ErrLogin) {
		t.Errorf("Call = %v, want ErrLogin", err)
	}
	awaitState(t, p, "a", upstream.NeedsLogin)
	h.Refuse(0)
	if err := p.Restart(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	awaitState(t, p, "a", upstream.Ready)
}

func TestPool_HTTP_OneBadAnswerIsNoLoss(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	h := srv.Handler()
	p := remotePool(t, upstream.Spec{Transport: upstream.HTTP}, h)
	h.Refuse(http.StatusBadGateway)
	if _, err := call(t, p, "a", "t"); !errors.Is(err, upstream.ErrLost) {
		t.Errorf("Call = %v, want ErrLost", err)
	}
	h.Refuse(0)
	if _, err := call(t, p, "a", "t"); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestPool_HTTP_MCPGo(t *testing.T) {
	t.Parallel()
	s, err := upstreamtest.MCPGo(upstreamtest.Tools("t", 3)...)
	if err != nil {
		t.Fatal(err)
	}
	p := remotePool(t, upstream.Spec{Transport: upstream.HTTP}, server.NewStreamableHTTPServer(s))
	if _, err := call(t, p, "a", "t1"); err != nil {
		t.Error(err)
	}
	awaitNewTool(t, p, s)
}

func TestPool_SSE_MCPGo(t *testing.T) {
	t.Parallel()
	s, err := upstreamtest.MCPGo(upstreamtest.Tools("t", 3)...)
	if err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]upstream.Spec{
		"named":    {Transport: upstream.SSE, URL: "/sse"},
		"fallback": {Transport: upstream.HTTP, URL: "/sse", SSEFallback: true},
	} {
		p := remotePool(t, spec, server.NewSSEServer(s))
		if st := status(t, p, "a"); st.Transport != upstream.SSE || st.Tools < 3 {
			t.Errorf("%s: status = %+v", name, st)
		}
		if _, err := call(t, p, "a", "t1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "named" {
			awaitNewTool(t, p, s)
		}
	}
}

// awaitNewTool adds a tool to the server and wants it listed within 3 s.
func awaitNewTool(t *testing.T, p *upstream.Pool, s *server.MCPServer) {
	t.Helper()
	before := status(t, p, "a").Tools
	began := time.Now()
	extra, err := upstreamtest.MCPGo(upstreamtest.Tool("late"))
	if err != nil {
		t.Fatal(err)
	}
	s.AddTool(extra.ListTools()["late"].Tool, extra.ListTools()["late"].Handler)
	await(t, p, "a", func(st upstream.Status) bool { return st.Tools == before+1 })
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("listed after %s", d)
	}
}
