package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

type request struct {
	id       int64
	method   string
	params   any
	progress func(json.RawMessage) // nil: none
}

type reply struct {
	resp *transport.JSONRPCResponse
	err  error
}

// request sends one request and returns the result's bytes. The error is an
// *RPCError, the cause of ctx, errNotSent, or wraps ErrLost, ErrLogin or
// ErrSessionLost.
func (s *session) request(ctx context.Context, r request) (json.RawMessage, error) {
	if err := s.begin(r.id, r.progress); err != nil {
		return nil, err
	}
	defer s.end(r.id)
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan reply, 1)
	go func() { // a write to a full pipe does not heed its context
		defer s.wg.Done()
		resp, err := s.conn.SendRequest(sending, transport.JSONRPCRequest{
			JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(r.id), Method: r.method, Params: r.params,
		})
		answer <- reply{resp, err}
	}()
	var got reply
	select {
	case got = <-answer:
	case <-ctx.Done():
		got = s.settle(answer)
	case <-s.ended:
		cancel()
		got = s.settle(answer)
	}
	if got.err != nil {
		return nil, s.explain(ctx, r, got.err)
	}
	return s.result(got.resp)
}

// ask sends a request of the pool itself. Its error is as that of request, but
// says why the connection ended instead of errNotSent.
func (s *session) ask(ctx context.Context, method string, params any) (json.RawMessage, error) {
	raw, err := s.request(ctx, request{id: s.ids.Add(1), method: method, params: params})
	if errors.Is(err, errNotSent) {
		s.awaitCause()
		err = s.loss()
	}
	return raw, err
}

// settle waits for a transport that was told to give up.
func (s *session) settle(answer <-chan reply) reply {
	timer := time.NewTimer(stuckTime)
	defer timer.Stop()
	select {
	case got := <-answer:
		return got
	case <-timer.C:
		s.fail(errStuck)
		return reply{err: errStuck}
	}
}

// explain turns what a transport returned into the error of a request, tells
// the server if the caller gave up, and marks the session lost if it is.
func (s *session) explain(ctx context.Context, r request, err error) error {
	switch {
	case ctx.Err() != nil:
		if r.method != methodInitialize {
			s.background(func() { s.cancelled(ctx, r.id) })
		}
		return context.Cause(ctx)
	case isClosed(s.ended):
		return s.loss()
	case errors.Is(err, ErrLogin), errors.Is(err, ErrConfig), errors.Is(err, ErrNotStreamable), errors.Is(err, ErrSessionLost):
		err = plain(err)
		s.fail(err)
		return err
	case errors.Is(err, ErrRights), errors.Is(err, ErrNotNow): // of this request, which was not run
		return plain(err)
	case isClosed(s.conn.Done), errors.Is(err, transport.ErrTransportClosed):
		s.awaitCause()
		return s.loss()
	default:
		s.events.changed() // a listing will tell whether the server is still there
		return fmt.Errorf("%w: %w", ErrLost, plain(err))
	}
}

// awaitCause gives the connection a moment to say why it ended, such as the
// exit status of a child.
func (s *session) awaitCause() {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-s.gone:
	case <-timer.C:
		s.fail(ErrLost)
	}
}

// result unpacks a response.
func (s *session) result(resp *transport.JSONRPCResponse) (json.RawMessage, error) {
	if resp == nil {
		return nil, fmt.Errorf("%w: no answer", ErrLost)
	}
	if e := resp.Error; e != nil {
		rpc := &RPCError{Code: e.Code, Message: s.safe(e.Message)}
		if e.Data != nil {
			data, _ := json.Marshal(e.Data)
			rpc.Data = json.RawMessage(s.safe(string(data)))
		}
		return nil, rpc
	}
	if len(resp.Result) == 0 {
		return nil, &RPCError{Code: mcp.INTERNAL_ERROR, Message: "the server answered without a result"}
	}
	return resp.Result, nil
}
