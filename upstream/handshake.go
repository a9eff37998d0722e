package upstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"go.uber.org/zap"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

const methodInitialize = "initialize"

// protocols are the revisions spoken, newest first.
var protocols = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// open dials s, over SSE where s allows that and the server speaks no
// streamable HTTP, and initializes the session.
func (o *Options) open(ctx context.Context, s Spec, ev events) (*session, error) {
	if s.Isolation == nil { // walls take their own time to build
		var cancel context.CancelFunc
		ctx, cancel = within(ctx, o.Timing.Start)
		defer cancel()
	}
	sess, err := o.openOver(ctx, s, ev)
	if errors.Is(err, ErrNotStreamable) && s.SSEFallback && s.Transport == HTTP {
		s.Transport = SSE
		sess, err = o.openOver(ctx, s, ev)
	}
	return sess, err
}

// within bounds a start.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("did not answer initialize within %s: %w", d, context.DeadlineExceeded))
}

func (o *Options) openOver(ctx context.Context, s Spec, ev events) (*session, error) {
	dial, ok := o.Dialers[s.Transport]
	if !ok {
		return nil, fmt.Errorf("%w: unknown transport %q", ErrConfig, s.Transport)
	}
	dialled, err := dial(ctx, s, o.Dial)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("connect: %w", plain(err))
	}
	conn := *dialled
	if o.Trace != nil {
		conn.Interface = trace(conn.Interface, func(dir string, frame []byte) { o.Trace(s.Name, dir, []byte(o.Dial.text(string(frame)))) })
	}
	sess := newSession(&conn, ev)
	sess.safe = o.Dial.text
	sess.transport = s.Transport
	if s.Isolation != nil {
		var cancel context.CancelFunc
		ctx, cancel = within(ctx, cmp.Or(s.Isolation.Timeout, o.Timing.Start))
		defer cancel()
	}
	if err := sess.initialize(ctx, o.Version); err != nil {
		if lost := sess.loss(); lost != nil && errors.Is(err, ErrLost) {
			err = lost
		}
		o.quit(s, sess)
		return nil, fmt.Errorf("initialize: %w", err)
	}
	return sess, nil
}

// quit closes a session whose end interests nobody.
func (o *Options) quit(s Spec, sess *session) {
	if err := sess.close(); err != nil {
		o.Log.Debug("close", zap.String("server", s.Name), zap.Error(plain(err)))
	}
}

// initialize negotiates the revision. We offer no capabilities: sampling,
// elicitation and roots are off.
func (s *session) initialize(ctx context.Context, version string) error {
	raw, err := s.ask(ctx, methodInitialize, map[string]any{
		"protocolVersion": protocols[0],
		"capabilities":    struct{}{},
		"clientInfo":      map[string]string{"name": "mcpproxy", "version": version},
	})
	if err != nil {
		return err
	}
	var answer struct {
		ProtocolVersion string                     `json:"protocolVersion"`
		Capabilities    map[string]json.RawMessage `json:"capabilities"`
		Instructions    json.RawMessage            `json:"instructions"`
		ServerInfo      struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"serverInfo"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the answer is not an InitializeResult: %w", err)
	}
	if !slices.Contains(protocols, answer.ProtocolVersion) {
		return fmt.Errorf("the server speaks protocol %q, this program %q", escape.Short(answer.ProtocolVersion, maxQuoted), protocols)
	}
	s.protocol = answer.ProtocolVersion
	s.version = escape.Short(answer.ServerInfo.Name+" "+answer.ServerInfo.Version, maxQuoted)
	s.offers, s.advice = answer.Capabilities, answer.Instructions
	s.current.announce() // nothing was listed yet
	if h, ok := s.conn.Interface.(transport.HTTPConnection); ok {
		h.SetProtocolVersion(s.protocol)
	}
	s.since = time.Now()
	return s.notify(ctx, "notifications/initialized", nil)
}

// has reports whether the server announced the capability.
func (s *session) has(capability string) bool {
	_, there := s.offers[capability]
	return there
}

// listOnce opens s, lists it, tools first, and ends it. What it fails to list
// besides tools is left out.
func (o *Options) listOnce(ctx context.Context, s Spec) ([]tool.Tool, error) {
	sess, err := o.open(ctx, s, events{changed: func() {}, others: func() {}, notify: func(string, json.RawMessage) {}})
	if err != nil {
		return nil, err
	}
	defer o.quit(s, sess)
	l, err := sess.list(ctx, s.Name, o.Timing.List)
	if err != nil {
		return nil, err
	}
	others, err := sess.listOthers(ctx, s.Name, min(o.Timing.List, onceTime))
	if err != nil {
		return nil, err
	}
	return append(l.tools, others.tools...), nil
}
