package upstream

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// notify sends a notification.
func (s *session) notify(ctx context.Context, method string, fields map[string]any) error {
	n := mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION}
	n.Method = method
	n.Params.AdditionalFields = fields
	return s.conn.SendNotification(ctx, n)
}

// cancelled tells the server that nobody waits for request id any more. ctx
// may have ended.
func (s *session) cancelled(ctx context.Context, id int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = s.notify(ctx, "notifications/cancelled", map[string]any{"requestId": id, "reason": "the caller gave up"})
}

// onNotification runs on the transport's reader and must not block.
func (s *session) onNotification(n mcp.JSONRPCNotification) {
	switch n.Method {
	case "notifications/tools/list_changed":
		s.fresh.announce()
		s.events.changed()
	case "notifications/prompts/list_changed", "notifications/resources/list_changed":
		s.current.announce()
		s.events.others()
	case "notifications/progress":
		token, ok := n.Params.AdditionalFields["progressToken"].(float64)
		if !ok {
			return
		}
		s.mu.Lock()
		report := s.progress[int64(token)]
		s.mu.Unlock()
		if report != nil {
			report(paramsOf(n))
		}
	default:
		s.events.notify(n.Method, paramsOf(n))
	}
}

func paramsOf(n mcp.JSONRPCNotification) json.RawMessage {
	if len(n.Params.Meta) == 0 {
		n.Params.Meta = nil
	}
	raw, err := json.Marshal(n.Params)
	if err != nil {
		return json.RawMessage("{}")
	}
	return raw
}

// onRequest answers what a server asks of us: pings, nothing else.
func onRequest(_ context.Context, r transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	if r.Method == "ping" {
		return transport.NewJSONRPCResultResponse(r.ID, json.RawMessage("{}")), nil
	}
	return transport.NewJSONRPCErrorResponse(r.ID, mcp.METHOD_NOT_FOUND, "not supported by this client", nil), nil
}
