package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// dialHTTP opens streamable HTTP. It contacts no one: the first request does.
// A GET stream for list_changed is opened once initialize was answered.
func dialHTTP(ctx context.Context, s Spec, env DialEnv) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, url, err := newRemote(s, env)
	if err != nil {
		return nil, err
	}
	r.fallback = s.SSEFallback
	t, err := transport.NewStreamableHTTP(url,
		transport.WithHTTPBasicClient(r.client()),
		transport.WithContinuousListening(),                     //nolint:staticcheck // the only way to hear list_changed before 2026-07-28
		transport.WithHTTPLogger(slog.New(slog.DiscardHandler)), // it would log the URL with its query
	)
	if err != nil {
		return nil, fmt.Errorf("%w: url is not valid", ErrConfig)
	}
	c := &httpConn{StreamableHTTP: t, remote: r}
	c.life, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := t.Start(c.life); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &Conn{Interface: c, Done: c.life.Done(), Err: causeOf(c.life)}, nil
}

// causeOf returns the Conn.Err of a connection with the given life.
func causeOf(life context.Context) func() error {
	return func() error {
		if life.Err() == nil {
			return nil
		}
		return context.Cause(life)
	}
}

// httpConn is a streamable HTTP connection.
type httpConn struct {
	*transport.StreamableHTTP
	remote *remote
	life   context.Context // ends with Close
	end    context.CancelCauseFunc
}

// SendRequest implements [transport.Interface]. Its errors are in plain words
// and wrap the sentinels of this package.
func (c *httpConn) SendRequest(ctx context.Context, req transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	reqCtx, f := withFailure(ctx)
	resp, err := c.StreamableHTTP.SendRequest(reqCtx, req)
	if err != nil || errors.Is(f.get(), ErrSessionLost) {
		return nil, c.remote.explain(ctx, c.life, f, err)
	}
	return c.remote.checkAnswer(req, resp, f)
}

// SendNotification implements [transport.Interface].
func (c *httpConn) SendNotification(ctx context.Context, n mcp.JSONRPCNotification) error {
	reqCtx, f := withFailure(ctx)
	if err := c.StreamableHTTP.SendNotification(reqCtx, n); err != nil {
		return c.remote.explain(ctx, c.life, f, err)
	}
	return nil
}

// Close ends the session at the server and all requests, within 4 s.
func (c *httpConn) Close() error {
	c.end(errConnClosed)
	err := c.StreamableHTTP.Close()
	c.remote.close()
	return err
}

// checkAnswer makes sure that resp answers req: mcp-go takes any JSON object on
// the response stream for the answer.
func (r *remote) checkAnswer(req transport.JSONRPCRequest, resp *transport.JSONRPCResponse, f *failure) (*transport.JSONRPCResponse, error) {
	answered := resp != nil && (resp.Error != nil || len(resp.Result) > 0)
	switch {
	case !answered && f.get() != nil:
		return nil, f.get()
	case !answered:
		return nil, fmt.Errorf("%s gave no valid JSON-RPC answer", r.origin)
	case resp.Error != nil && resp.ID.IsNil(): // the server could not tell the id
		return resp, nil
	case resp.ID.String() != req.ID.String():
		return nil, fmt.Errorf("%s answered a request that was not asked", r.origin)
	}
	return resp, nil
}
