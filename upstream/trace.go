package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// traced reports every frame that passes a transport, one at a time. A frame is
// rebuilt from what the transport hands over, so its white space and the order
// of a notification's keys may differ from the wire.
type traced struct {
	transport.Interface
	mu   *sync.Mutex
	emit func(dir string, frame []byte)
}

func trace(t transport.Interface, emit func(dir string, frame []byte)) transport.Interface {
	return traced{Interface: t, mu: &sync.Mutex{}, emit: emit}
}

func (t traced) frame(dir string, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.emit(dir, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func (t traced) SendRequest(ctx context.Context, r transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	t.frame("->", r)
	resp, err := t.Interface.SendRequest(ctx, r)
	if err == nil && resp != nil {
		t.frame("<-", resp)
	}
	return resp, err
}

func (t traced) SendNotification(ctx context.Context, n mcp.JSONRPCNotification) error {
	t.frame("->", n)
	return t.Interface.SendNotification(ctx, n)
}

func (t traced) SetNotificationHandler(h func(mcp.JSONRPCNotification)) {
	t.Interface.SetNotificationHandler(func(n mcp.JSONRPCNotification) {
		t.frame("<-", n)
		h(n)
	})
}

// SetRequestHandler implements [transport.BidirectionalInterface] where the
// wrapped transport does.
func (t traced) SetRequestHandler(h transport.RequestHandler) {
	b, ok := t.Interface.(transport.BidirectionalInterface)
	if !ok {
		return
	}
	b.SetRequestHandler(func(ctx context.Context, r transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
		t.frame("<-", r)
		resp, err := h(ctx, r)
		if err == nil && resp != nil {
			t.frame("->", resp)
		}
		return resp, err
	})
}

// SetProtocolVersion implements [transport.HTTPConnection] where the wrapped
// transport does.
func (t traced) SetProtocolVersion(version string) {
	if h, ok := t.Interface.(transport.HTTPConnection); ok {
		h.SetProtocolVersion(version)
	}
}
