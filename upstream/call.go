package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mcpproxy/internal/tool"
)

// Call sends one tools/call and returns the result as the server sent it. It
// waits for a server that is starting, and makes one that is backing off
// reconnect, at most once a second and together with other calls. It ends
// after Spec.Timeout, which starts anew with each progress notification, at
// most 10 min in all; then, or when ctx ends, the server is told so and the
// cause of ctx returned.
//
// Other errors are an *[RPCError] or wrap [ErrUnknown], [ErrUnavailable],
// [ErrArguments], [ErrChanged], [ErrLost], [ErrLogin], [ErrRights], [ErrSessionLost] or
// [ErrClosed]. A call is sent at most once.
func (p *Pool) Call(ctx context.Context, c Call) (Result, error) {
	return p.relay(c.ID, c.Arguments, c.Meta, func(s *server) (Result, error) { return s.call(ctx, c) })
}

// relay calls do with the server of id once args and meta were found to be JSON
// objects.
func (p *Pool) relay(id tool.ID, args, meta json.RawMessage, do func(*server) (Result, error)) (res Result, err error) {
	if !isObject(args) || !isObject(meta) {
		return res, fmt.Errorf("%s: %w", id, ErrArguments)
	}
	err = p.on(id.Server, func(s *server) (err error) {
		res, err = do(s)
		return err
	})
	return res, err
}

// on calls do with the server of that name, again where that was replaced before
// anything was sent.
func (p *Pool) on(name string, do func(*server) error) error {
	for {
		s, err := p.lookup(name)
		if err != nil {
			return err
		}
		err = do(s)
		if errors.Is(err, errReplaced) { // nothing was sent
			if again, err := p.lookup(name); err != nil || again != s {
				continue
			}
			return fmt.Errorf("upstream %q: %w", name, ErrClosed)
		}
		return p.opt.Dial.clean(err)
	}
}

// isObject reports whether raw may stand where a JSON object belongs; nil may.
func isObject(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) && json.Valid(raw)
}

func (s *server) call(ctx context.Context, c Call) (Result, error) {
	ctx, alive, cancel := deadline(ctx, s.opt.Timing.timeout(s.spec))
	defer cancel()
	var res Result
	err := s.exchange(ctx, exchange{
		id:    c.ID,
		fresh: func(sess *session) *freshness { return &sess.fresh },
		check: func(v *view) error { return v.listing.check(c.ID, c.Want) },
		send: func(sess *session) (err error) {
			s.markCalled()
			res, err = sess.call(ctx, c, alive)
			res.Sent = true
			return err
		},
	})
	return res, err
}

// deadline returns a context that ends after d without a call of alive, or
// after maxCall.
func deadline(ctx context.Context, d time.Duration) (_ context.Context, alive, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	began := time.Now()
	timer := time.AfterFunc(d, func() {
		cancel(fmt.Errorf("no answer within %s, the server's \"timeout\" allows more: %w", time.Since(began).Round(time.Millisecond), context.DeadlineExceeded))
	})
	alive = func() {
		if ctx.Err() == nil {
			timer.Reset(min(d, maxCall-time.Since(began)))
		}
	}
	return ctx, alive, func() { timer.Stop(); cancel(nil) }
}

// call sends c on this session.
func (s *session) call(ctx context.Context, c Call, alive func()) (Result, error) {
	args := c.Arguments
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	raw, err := s.relay(ctx, c.Meta, c.Progress, alive, func(meta json.RawMessage) (string, any) {
		return "tools/call", struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
			Meta      json.RawMessage `json:"_meta,omitempty"`
		}{c.ID.Name, args, meta}
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Raw: raw, IsError: isError(raw)}, nil
}

// relay sends the message that is made with meta. progress, which may be nil, is
// called with each notification of progress, which also keeps the request alive.
func (s *session) relay(ctx context.Context, meta json.RawMessage, progress func(json.RawMessage), alive func(), message func(meta json.RawMessage) (method string, params any)) (json.RawMessage, error) {
	r := request{id: s.ids.Add(1)}
	if progress != nil {
		r.progress = func(params json.RawMessage) { alive(); progress(params) }
		meta = withToken(meta, r.id)
	}
	r.method, r.params = message(meta)
	raw, err := s.request(ctx, r)
	if _, answered := errors.AsType[*RPCError](err); err == nil || answered {
		s.answered.Store(true)
	}
	return raw, err
}

// withToken returns meta, a JSON object or nil, with our own progress token:
// the caller's may be in use by another client.
func withToken(meta json.RawMessage, token int64) json.RawMessage {
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(meta, &fields) // Call checked that it is an object
	fields["progressToken"] = fmt.Appendf(nil, "%d", token)
	raw, err := json.Marshal(fields)
	if err != nil {
		return meta
	}
	return raw
}

// isError reads the tool's verdict; results without the word are not decoded.
func isError(raw json.RawMessage) bool {
	if !bytes.Contains(raw, []byte(`"isError"`)) {
		return false
	}
	var v struct {
		IsError bool `json:"isError"`
	}
	_ = json.Unmarshal(raw, &v)
	return v.IsError
}
