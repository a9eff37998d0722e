package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
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
	if !isObject(c.Arguments) || !isObject(c.Meta) {
		return Result{}, fmt.Errorf("%s: %w", c.ID, ErrArguments)
	}
	var res Result
	err := p.on(c.ID.Server, func(s *server) (err error) {
		res, err = s.call(ctx, c)
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
	r := request{id: s.ids.Add(1), method: "tools/call"}
	meta := c.Meta
	if c.Progress != nil {
		r.progress = func(params json.RawMessage) { alive(); c.Progress(params) }
		meta = withToken(meta, r.id)
	}
	args := c.Arguments
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	r.params = struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Meta      json.RawMessage `json:"_meta,omitempty"`
	}{c.ID.Name, args, meta}
	raw, err := s.request(ctx, r)
	var rpc *RPCError
	if err == nil || errors.As(err, &rpc) {
		s.answered.Store(true)
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Raw: raw, IsError: isError(raw)}, nil
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
