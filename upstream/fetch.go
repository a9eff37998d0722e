package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mcpproxy/internal/tool"
)

// Fetch is one prompts/get or resources/read.
type Fetch struct {
	ID        tool.ID         // a prompt, a resource, or the template that URI was made with
	URI       string          // what to read with a template
	Arguments json.RawMessage // of a prompt, a JSON object; nil means none
	Meta      json.RawMessage // _meta to send, a JSON object; nil means none
	// Want, if not zero, is the definition that the caller checked. The request is
	// refused with ErrChanged if the server's last listing holds another one.
	Want tool.Hash
	// Progress, if set, is called with the params of each notifications/progress
	// of this request. It must not block.
	Progress func(params json.RawMessage)
}

// Fetch sends f and returns the result as the server sent it. It waits, ends and
// fails as [Pool.Call] does.
func (p *Pool) Fetch(ctx context.Context, f Fetch) (Result, error) {
	if !isObject(f.Arguments) || !isObject(f.Meta) {
		return Result{}, fmt.Errorf("%s: %w", f.ID, ErrArguments)
	}
	var res Result
	err := p.on(f.ID.Server, func(s *server) (err error) {
		res, err = s.fetch(ctx, f)
		return err
	})
	return res, err
}

func (s *server) fetch(ctx context.Context, f Fetch) (res Result, err error) {
	ctx, alive, cancel := deadline(ctx, s.opt.Timing.timeout(s.spec))
	defer cancel()
	err = s.exchange(ctx, exchange{
		id:    f.ID,
		fresh: func(sess *session) *freshness { return &sess.current },
		check: func(v *view) error { return v.others.check(f.ID, f.Want) },
		send: func(sess *session) (err error) {
			s.beside.mark()
			res.Raw, err = sess.fetch(ctx, f, alive)
			res.Sent = !errors.Is(err, errNotSent)
			return err
		},
	})
	return res, err
}

// fetch sends f on this session.
func (s *session) fetch(ctx context.Context, f Fetch, alive func()) (json.RawMessage, error) {
	r := request{id: s.ids.Add(1)}
	meta := f.Meta
	if f.Progress != nil {
		r.progress = func(params json.RawMessage) { alive(); f.Progress(params) }
		meta = withToken(meta, r.id)
	}
	r.method, r.params = f.message(meta)
	raw, err := s.request(ctx, r)
	var rpc *RPCError
	if err == nil || errors.As(err, &rpc) {
		s.answered.Store(true)
	}
	return raw, err
}

// message returns method and params of f.
func (f Fetch) message(meta json.RawMessage) (method string, params any) {
	if f.ID.Kind == tool.Prompt {
		return "prompts/get", struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments,omitempty"`
			Meta      json.RawMessage `json:"_meta,omitempty"`
		}{f.ID.Name, f.Arguments, meta}
	}
	uri := f.ID.Name
	if f.ID.Kind == tool.Template {
		uri = f.URI
	}
	return "resources/read", struct {
		URI  string          `json:"uri"`
		Meta json.RawMessage `json:"_meta,omitempty"`
	}{uri, meta}
}
