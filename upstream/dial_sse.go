package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// sseTimeout is above every deadline of a call: mcp-go's own would end long
// calls after 60 s.
const sseTimeout = time.Hour

// dialSSE opens the stream of the HTTP+SSE transport of MCP 2024-11-05 and waits
// for its endpoint event.
func dialSSE(ctx context.Context, s Spec, env DialEnv) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, url, err := newRemote(s, env)
	if err != nil {
		return nil, err
	}
	r.events = true
	t, err := transport.NewSSE(url,
		transport.WithHTTPClient(r.client()),
		transport.WithSSELogger(slog.New(slog.DiscardHandler)),
		transport.WithResponseTimeout(sseTimeout),
	)
	if err != nil {
		return nil, fmt.Errorf("%w: url is not valid", ErrConfig)
	}
	c := &sseConn{SSE: t, remote: r}
	c.life, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	t.SetConnectionLostHandler(c.lost)
	stream, f := withFailure(c.life)
	stop := context.AfterFunc(ctx, func() { c.end(ctx.Err()) })
	err = t.Start(stream)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		err = c.startError(ctx, f, err)
		_ = c.Close()
		return nil, err
	}
	return &Conn{Interface: c, Done: c.life.Done(), Err: causeOf(c.life)}, nil
}

// sseConn is a connection of the old HTTP+SSE transport.
type sseConn struct {
	*transport.SSE
	remote *remote
	life   context.Context // ends with the stream
	end    context.CancelCauseFunc
}

func (c *sseConn) startError(ctx context.Context, f *failure, err error) error {
	switch cause := f.get(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause != nil:
		return cause
	case c.life.Err() != nil:
		return context.Cause(c.life)
	default:
		return fmt.Errorf("%w (%w)", c.remote.explain(ctx, c.life, f, err), errNoEndpoint)
	}
}

// errNoEndpoint says what a server of this transport must do first.
var errNoEndpoint = errors.New("no endpoint event came")

// lost ends the connection: err is how the stream ended.
func (c *sseConn) lost(err error) {
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s closed its event stream", c.remote.origin)
	}
	c.end(err)
}

// SendRequest implements [transport.Interface]. It fails at once when the stream
// is lost, on which the answer would come.
func (c *sseConn) SendRequest(ctx context.Context, req transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	reqCtx, f := withFailure(ctx)
	reqCtx, cancel := context.WithCancel(reqCtx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	id := req.ID
	req.ID = mcp.NewRequestId(sseID(id.Value()))
	resp, err := c.SSE.SendRequest(reqCtx, req)
	if err != nil {
		return nil, c.remote.explain(ctx, c.life, f, err)
	}
	if resp, err = c.remote.checkAnswer(req, resp, f); err != nil {
		return nil, err
	}
	resp.ID = id
	return resp, nil
}

// sseID is the id that the server sees. mcp-go's SSE takes a request of the
// server, such as a ping, for the answer to ours if the ids are equal.
func sseID(id any) string { return fmt.Sprintf("mcpproxy-%v", id) }

// SendNotification implements [transport.Interface].
func (c *sseConn) SendNotification(ctx context.Context, n mcp.JSONRPCNotification) error {
	if id, ok := n.Params.AdditionalFields["requestId"]; ok && n.Method == "notifications/cancelled" {
		n.Params.AdditionalFields = maps.Clone(n.Params.AdditionalFields)
		n.Params.AdditionalFields["requestId"] = sseID(id)
	}
	reqCtx, f := withFailure(ctx)
	if err := c.SSE.SendNotification(reqCtx, n); err != nil {
		return c.remote.explain(ctx, c.life, f, err)
	}
	return nil
}

// Close ends the stream and all requests, within 2 s.
func (c *sseConn) Close() error {
	c.end(errConnClosed)
	err := c.SSE.Close()
	c.remote.close()
	return err
}
