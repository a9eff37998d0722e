package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"
)

func TestDialSSE_RealServer(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	s := mcpServer()
	var log seen
	srv := httptest.NewServer(log.wrap(mcpserver.NewSSEServer(s)))
	changed := make(chan struct{}, 16)
	c := dialURL(t, dialSSE, Spec{URL: srv.URL + "/sse?q=1", Headers: map[string]string{"X-Key": "k"}})
	c.SetNotificationHandler(func(mcp.JSONRPCNotification) { changed <- struct{}{} })
	mustSend(t, c, initRequest())
	if err := c.SendNotification(t.Context(), dialNote("notifications/initialized", nil)); err != nil {
		t.Fatal(err)
	}
	if resp := mustSend(t, c, rpc(2, "tools/list")); !strings.Contains(string(resp.Result), "echo") {
		t.Errorf("tools/list = %s", resp.Result)
	}
	s.AddTool(mcp.NewTool("more"), nil)
	<-changed
	srv.CloseClientConnections()
	err := awaitDone(t, c, 5*time.Second)
	if err == nil || !strings.HasPrefix(err.Error(), srv.URL) {
		t.Errorf("Err() = %v, want one that names %s", err, srv.URL)
	}
	if _, reqErr := c.SendRequest(t.Context(), rpc(3, "ping")); !errors.Is(reqErr, err) {
		t.Errorf("request after the loss = %v, want %v", reqErr, err)
	}
	c.Close()
	c.Close()
	for _, r := range log.reqs {
		if r.Header.Get("X-Key") != "k" {
			t.Errorf("%s without the configured header", r.Method)
		}
	}
	srv.Close()
	goleak.VerifyNone(t, ignore)
}

// sseHandler sends the endpoint and then text on the stream, and holds it open
// until the client leaves or end is closed. POSTs are accepted and ignored.
func sseHandler(endpoint, text string, end <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", eventStream)
		fmt.Fprintf(w, "event: endpoint\ndata: %s\n\n%s", endpoint, text)
		w.(http.Flusher).Flush()
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}
}

func TestDialSSE_LossFailsRequestInFlight(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	srv := httptest.NewServer(sseHandler("/m", "", end))
	t.Cleanup(srv.Close)
	c := dialURL(t, dialSSE, Spec{URL: srv.URL})
	failed := make(chan error, 1)
	go func() {
		_, err := c.SendRequest(context.Background(), rpc(1, "hang"))
		failed <- err
	}()
	close(end)
	select {
	case err := <-failed:
		if err == nil || !strings.Contains(err.Error(), "closed its event stream") {
			t.Errorf("request in flight = %v, want the loss", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the request in flight hangs")
	}
}

func TestDialSSE_EventOver16MBEndsConnection(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(sseHandler("/m", "data:"+strings.Repeat("x", maxMessage), nil))
	t.Cleanup(srv.Close)
	c := dialURL(t, dialSSE, Spec{URL: srv.URL})
	if err := awaitDone(t, c, 10*time.Second); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Err() = %v, want ErrTooLarge", err)
	}
}

func TestDialSSE_StartFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		handler http.HandlerFunc
		is      error
		want    string
	}{
		"401":              {answer(401, nil, "CANARY"), ErrLogin, "login needed"},
		"404":              {answer(404, nil, "CANARY"), nil, "answered 404"},
		"HTML":             {answer(200, map[string]string{"Content-Type": "text/html"}, "CANARY"), nil, "which is no MCP"},
		"ends at once":     {answer(200, asEvents, ""), nil, "closed its event stream"},
		"foreign endpoint": {sseHandler("http://h.invalid/CANARY", "", nil), context.DeadlineExceeded, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tc.handler)
			t.Cleanup(srv.Close)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := dialSSE(ctx, Spec{URL: srv.URL + "/CANARY?CANARY"}, DialEnv{})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("dial = %v, want %q", err, tc.want)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("dial = %v, want it to wrap %v", err, tc.is)
			}
		})
	}
}

func TestDialSSE_EndpointOfOtherSchemeGetsNothing(t *testing.T) {
	t.Parallel()
	var h http.HandlerFunc
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h(w, r) }))
	t.Cleanup(srv.Close)
	h = sseHandler(strings.Replace(srv.URL, "http://", "https://", 1)+"/m", "", nil)
	c := dialURL(t, dialSSE, Spec{URL: srv.URL})
	if _, err := c.SendRequest(t.Context(), rpc(1, "ping")); err == nil || !strings.Contains(err.Error(), "points to another server") {
		t.Errorf("request to an endpoint of another scheme = %v", err)
	}
}

func TestDialSSE_OutlivesContext(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(mcpserver.NewSSEServer(mcpServer()))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := dialSSE(ctx, Spec{URL: srv.URL + "/sse"}, DialEnv{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	cancel()
	mustSend(t, c, initRequest())
}

func TestDialSSE_PingOfServerIsNoAnswer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sent []string
	ping := "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n"
	events := make(chan string)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			data, _ := io.ReadAll(r.Body)
			mu.Lock()
			sent = append(sent, string(data))
			mu.Unlock()
			w.WriteHeader(http.StatusAccepted)
			var m struct{ ID json.RawMessage }
			if json.Unmarshal(data, &m) == nil && m.ID != nil {
				events <- ping + fmt.Sprintf("data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n\n", m.ID)
			}
			return
		}
		w.Header().Set("Content-Type", eventStream)
		fmt.Fprint(w, "event: endpoint\ndata: /m\n\n")
		for {
			w.(http.Flusher).Flush()
			select {
			case e := <-events:
				fmt.Fprint(w, e)
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	c := dialURL(t, dialSSE, Spec{URL: srv.URL})
	if resp := mustSend(t, c, rpc(1, "tools/list")); resp.ID.String() != mcp.NewRequestId(int64(1)).String() {
		t.Errorf("answer with id %v, want that of the request", resp.ID)
	}
	n := mcp.JSONRPCNotification{JSONRPC: "2.0"}
	n.Method = "notifications/cancelled"
	n.Params.AdditionalFields = map[string]any{"requestId": int64(1)}
	if err := c.SendNotification(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if last := sent[len(sent)-1]; !strings.Contains(last, `"requestId":"mcpproxy-1"`) || n.Params.AdditionalFields["requestId"] != int64(1) {
		t.Errorf("cancelled as %s, want the id that the server knows", last)
	}
}
