package proxy

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mcpclient "github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"mcpproxy/upstream"
)

// TestClient_OfAnotherLibrary speaks to the proxy as an IDE does, in both eras
// of the protocol.
func TestClient_OfAnotherLibrary(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]transport.StreamableHTTPCOption{
		"2025-11-25": {transport.WithContinuousListening()}, //nolint:staticcheck // clients of that revision have the GET stream
		"2026-07-28": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := callWorld(t)
			w.call = func(_ context.Context, c upstream.Call) (upstream.Result, error) {
				if c.Progress != nil {
					c.Progress(json.RawMessage(`{"progress":1,"total":2}`))
				}
				return upstream.Result{Raw: json.RawMessage(`{"content":[{"type":"text","text":"` + c.ID.Name + `"}],"structuredContent":{"a":1}}`)}, nil
			}
			p := w.open(t)
			srv := httptest.NewServer(p.Handler())
			t.Cleanup(srv.Close)
			conn, err := transport.NewStreamableHTTP(srv.URL, opts...)
			if err != nil {
				t.Fatal(err)
			}
			c := mcpclient.NewClient(conn)
			t.Cleanup(func() { c.Close() })
			seen := make(chan mcp.JSONRPCNotification, 100)
			c.OnNotification(func(n mcp.JSONRPCNotification) { seen <- n })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			var hello mcp.InitializeRequest
			hello.Params.ProtocolVersion = name
			hello.Params.ClientInfo = mcp.Implementation{Name: "t", Version: "1"}
			got, err := c.Initialize(ctx, hello)
			if err != nil || got.ProtocolVersion != name || !strings.Contains(got.Instructions, "files (3 tools)") {
				t.Fatalf("initialize: %v, %+v", err, got)
			}
			list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
			if err != nil || len(list.Tools) != 7 {
				t.Fatalf("tools/list: %v", err)
			}
			var call mcp.CallToolRequest
			call.Params.Name = "call_tool_read"
			call.Params.Arguments = map[string]any{"id": "files:read", "arguments": map[string]any{"path": "a"}}
			call.Params.Meta = &mcp.Meta{ProgressToken: "tok"}
			result, err := c.CallTool(ctx, call)
			if err != nil || result.IsError || len(result.Content) != 1 || string(result.RawStructuredContent) != `{"a":1}` {
				t.Fatalf("tools/call: %v, %+v", err, result)
			}
			for {
				select {
				case n := <-seen:
					if n.Method == "notifications/progress" && n.Params.AdditionalFields["progressToken"] == "tok" {
						return
					}
				case <-ctx.Done():
					t.Fatal("no progress arrived")
				}
			}
		})
	}
}
