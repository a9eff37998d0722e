package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"mcpproxy/internal/sse"
)

// errGone means that the instance, or the session in it, is gone and has not
// seen the message.
var errGone = errors.New("session gone")

// session is one MCP session at one instance. Its fields are set before others
// see it.
type session struct {
	endpoint Endpoint
	id       string // empty before initialize, and for stateless revisions
	version  string // negotiated protocol revision
}

// current returns the session, or one without an id to begin with.
func (b *bridge) current(ctx context.Context, fresh bool) (*session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session != nil && !fresh {
		return b.session, nil
	}
	endpoint, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	b.session = &session{endpoint: endpoint}
	return b.session, nil
}

// dial waits for an instance.
func (b *bridge) dial(ctx context.Context) (Endpoint, error) {
	deadline := time.NewTimer(b.opt.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		endpoint, err := b.opt.Dial()
		if err == nil {
			return endpoint, nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// renew opens a session in the place of old, unless another request did so
// already, and tells the client that everything may differ.
func (b *bridge) renew(ctx context.Context, old *session) (*session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.session != old {
		return b.session, nil
	}
	endpoint, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{endpoint: endpoint}
	if b.hello != nil {
		if err := s.open(ctx, b.hello); err != nil {
			endpoint.Close()
			return nil, err
		}
	}
	old.endpoint.Close()
	b.session = s
	for _, what := range []string{"tools", "prompts", "resources"} {
		b.write([]byte(`{"jsonrpc":"2.0","method":"notifications/` + what + `/list_changed"}`))
	}
	return s, nil
}

// open initializes s as the client did, without an answer to the client.
func (s *session) open(ctx context.Context, hello []byte) error {
	resp, err := s.endpoint.MCP(ctx, http.MethodPost, s.header(envelope{}), hello)
	if err != nil {
		return err
	}
	err = s.read(resp, func(data []byte) { s.opened(resp, data) })
	if err == nil && s.version == "" {
		err = errors.New("the instance did not initialize")
	}
	if err != nil {
		return err
	}
	resp, err = s.endpoint.MCP(ctx, http.MethodPost, s.header(envelope{}), []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// opened takes the session's id and revision from the answer to initialize.
func (s *session) opened(resp *http.Response, data []byte) {
	var answer struct {
		Result struct {
			ProtocolVersion string `json:"protocolVersion"`
		} `json:"result"`
	}
	if json.Unmarshal(data, &answer) == nil && answer.Result.ProtocolVersion != "" {
		s.id, s.version = resp.Header.Get("Mcp-Session-Id"), answer.Result.ProtocolVersion
	}
}

// post sends one message and writes every message that comes back.
func (s *session) post(ctx context.Context, b *bridge, e envelope, line []byte) error {
	resp, err := s.endpoint.MCP(ctx, http.MethodPost, s.header(e), line)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return errGone
	case err != nil:
		return fmt.Errorf("the instance ended before it answered; whether it ran the request is not known (%w)", err)
	case resp.StatusCode == http.StatusNotFound && s.id != "":
		_ = resp.Body.Close()
		return errGone
	}
	answered := false
	err = s.read(resp, func(data []byte) {
		if e.Method == "initialize" {
			s.opened(resp, data)
		}
		var got envelope
		answered = answered || json.Unmarshal(data, &got) == nil && got.Method == "" && string(got.ID) == string(e.ID)
		b.write(data)
	})
	if err == nil && !answered && e.Method != "" && len(e.ID) > 0 {
		err = errors.New("the instance ended before it answered; whether it ran the request is not known")
	}
	if answered {
		err = nil
	}
	return err
}

// maxFault is how much of an error page is read, in bytes.
const maxFault = 64 << 10

// read calls each with every message of a response, and closes it.
func (s *session) read(resp *http.Response, each func(data []byte)) error {
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxFault))
		var fault struct {
			Message string          `json:"message"`
			JSONRPC string          `json:"jsonrpc"`
			Error   json.RawMessage `json:"error"`
		}
		_ = json.Unmarshal(text, &fault)
		if fault.JSONRPC != "" && len(fault.Error) > 0 {
			each(text)
			return nil
		}
		return fmt.Errorf("the instance answered HTTP %d %s", resp.StatusCode, fault.Message)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/event-stream" {
		return sse.Read(resp.Body, func(_ string, data []byte) error { each(data); return nil })
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || len(text) == 0 {
		return err
	}
	each(text)
	return nil
}

// versionKey is where requests of the stateless revisions carry theirs (MCP
// 2026-07-28, lifecycle).
const versionKey = "io.modelcontextprotocol/protocolVersion"

// header is that of streamable HTTP for one message.
func (s *session) header(e envelope) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	if s.id != "" {
		h.Set("Mcp-Session-Id", s.id)
	}
	if s.version != "" {
		h.Set("MCP-Protocol-Version", s.version)
	}
	var version string
	if json.Unmarshal(e.Params.Meta[versionKey], &version) == nil && version != "" && !strings.ContainsAny(version, "\r\n") {
		h.Set("MCP-Protocol-Version", version)
		h.Set("Mcp-Method", e.Method)
		if name := e.Params.Name + e.Params.URI; name != "" {
			h.Set("Mcp-Name", name)
		}
	}
	return h
}

// listen keeps the stream open on which the instance speaks first.
func (b *bridge) listen(ctx context.Context) {
	go func() { // ends with ctx; it is not waited for, as it owes nobody an answer
		for ctx.Err() == nil {
			b.mu.Lock()
			s := b.session
			b.mu.Unlock()
			if s != nil && s.id != "" {
				err := s.stream(ctx, b)
				if errors.Is(err, errGone) && ctx.Err() == nil {
					_, err = b.renew(ctx, s)
				}
				if err != nil && ctx.Err() == nil {
					fmt.Fprintf(b.opt.Log, "mcpproxy stdio: %v\n", err)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
		}
	}()
}

func (s *session) stream(ctx context.Context, b *bridge) error {
	h := s.header(envelope{})
	h.Set("Accept", "text/event-stream")
	resp, err := s.endpoint.MCP(ctx, http.MethodGet, h, nil)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return errGone
	case err != nil:
		return nil
	case resp.StatusCode == http.StatusNotFound:
		_ = resp.Body.Close()
		return errGone
	}
	_ = s.read(resp, b.write) // it breaks off with the instance, and is opened anew
	return nil
}
