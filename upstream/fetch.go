package upstream

import (
	"context"
	"encoding/json"
	"errors"

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
	return p.relay(f.ID, f.Arguments, f.Meta, func(s *server) (Result, error) { return s.fetch(ctx, f) })
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
			res.Raw, err = sess.relay(ctx, f.Meta, f.Progress, alive, f.message)
			res.Sent = !errors.Is(err, errNotSent)
			return err
		},
	})
	return res, err
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
