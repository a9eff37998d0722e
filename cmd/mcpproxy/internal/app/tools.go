package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/index"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// listTimeout bounds one listing that a person asked for.
const listTimeout = 30 * time.Second

// patienceFor is how long a person waits for the server's listing.
func patienceFor(s config.Server) time.Duration {
	if s.Isolation != nil {
		return listTimeout + pullPatience
	}
	return listTimeout
}

// ListTools answers from the last listing of a running server. Where there is
// none, or a trace is wanted, it starts the server once, lists, and stops it.
func (a *App) ListTools(ctx context.Context, server string, opt api.ListOptions) ([]client.Tool, error) {
	s, err := a.configured(server)
	if err != nil {
		return nil, err
	}
	tools, err := a.listing(ctx, s, opt)
	if err != nil {
		return nil, err
	}
	list := make([]client.Tool, 0, len(tools))
	for _, t := range tool.Of("", tools) {
		list = append(list, a.toolDTO(t))
	}
	return list, nil
}

// listing returns what the server lists now, tools first, and stores it for
// review.
func (a *App) listing(ctx context.Context, s config.Server, opt api.ListOptions) ([]tool.Tool, error) {
	if opt.Trace == nil {
		if tools, err := a.pool.Tools(ctx, s.Name); err == nil {
			return tools, nil
		}
	}
	if opt.Timeout <= 0 {
		opt.Timeout = patienceFor(s)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opt.Timeout, fmt.Errorf("no answer within %s, --timeout waits longer: %w", opt.Timeout, context.DeadlineExceeded))
	defer cancel()
	spec := a.specOf(s, "")
	if spec.Isolation != nil {
		spec.Isolation.Review = true
	}
	tools, err := a.pool.List(ctx, spec, opt.Trace)
	if err != nil {
		e := &client.Error{Code: client.CodeUnavailable, Message: err.Error(), Hint: "see its log: " + hint.Command("upstream", "logs", s.Name)}
		if errors.Is(err, upstream.ErrConfig) {
			e.Hint = "its settings are in " + a.configPath + "; mcpproxy doctor looks at them; its log: " + hint.Command("upstream", "logs", s.Name)
		}
		if errors.Is(err, upstream.ErrLogin) || errors.Is(err, upstream.ErrRights) {
			e.Hint = hintFor(string(upstream.NeedsLogin), s)
		}
		return nil, e
	}
	if a.gate.Launch(s.Name, a.launchOf(s), false) != nil {
		return tools, a.gate.Inspected(s.Name, a.launchOf(s), tools)
	}
	return tools, a.admit(ctx, s.Name, tools)
}

// admit carries a listing that the pool does not know through the gate into the
// index. A running instance leaves the index to the pool's own listings.
func (a *App) admit(ctx context.Context, server string, tools []tool.Tool) error {
	admitted, _, err := a.gate.Admit(ctx, server, tools)
	_, _, errOthers := a.gate.AdmitOthers(ctx, server, tools)
	if err = errors.Join(err, errOthers); err != nil || a.serving {
		return err
	}
	_, err = a.index.Replace(ctx, server, admitted)
	return err
}

func (a *App) toolDTO(t tool.Tool) client.Tool {
	h := t.Hash()
	state := "approved"
	if err := a.gate.Check(t.ID, h); err != nil {
		state = string(a.gate.StateOf(t.ID, h))
	}
	return definitionDTO(t, state, h)
}

// Search finds approved tools. A limit of 0 means top_k of the configuration.
func (a *App) Search(ctx context.Context, query string, limit int, server string) ([]client.Hit, error) {
	if limit <= 0 {
		limit = a.limits().TopK
	}
	a.awaitModel(ctx)
	start := time.Now()
	hits, err := a.index.Search(ctx, index.Query{Text: query, Limit: limit, Server: server})
	if err != nil {
		return nil, err
	}
	if _, err := a.configured(server); server != "" && len(hits) == 0 && err != nil {
		return nil, err
	}
	meter{a}.Searched(time.Since(start), 0)
	list := make([]client.Hit, 0, len(hits))
	for _, h := range hits {
		why, err := json.Marshal(h.Explain)
		if err != nil {
			return nil, err
		}
		list = append(list, client.Hit{Tool: a.toolDTO(h.Tool), Score: h.Score, Explain: why})
	}
	return list, nil
}

// CallTool calls one of the proxy's own tools, or an upstream's through the
// gate. Without a running instance the one server is started for this call.
func (a *App) CallTool(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	id, err := tool.ParseID(name)
	if err != nil {
		a.awaitModel(ctx)
		return a.proxy.CallTool(ctx, name, args)
	}
	s, err := a.configured(id.Server)
	if err != nil {
		return nil, err
	}
	if err := a.gate.Launch(s.Name, a.launchOf(s), trustsFirst(s)); err != nil {
		return nil, heldError(err)
	}
	if !a.serving {
		if err := a.startOne(ctx, s); err != nil {
			return nil, err
		}
	}
	if a.gate.Waits(id) {
		return nil, heldError(a.gate.Check(id, tool.Hash{}))
	}
	return a.proxy.CallTool(ctx, name, args)
}

// startOne runs one approved server inside a program that serves nobody, and
// returns once its tools went through the gate into the index.
func (a *App) startOne(ctx context.Context, s config.Server) error {
	changes := a.pool.Changes().Subscribe()
	defer changes.Close()
	ctx, cancel := context.WithTimeout(ctx, patienceFor(s))
	defer cancel()
	if err := a.pool.Apply(ctx, []upstream.Spec{a.specOf(s, "")}); err != nil {
		return err
	}
	for {
		_, err := a.pool.Tools(ctx, s.Name)
		if err == nil {
			return a.sync.Sync(ctx, s.Name)
		}
		for _, st := range a.pool.Status() {
			if st.State != upstream.Starting && st.Error != "" {
				return &client.Error{Code: client.CodeUnavailable, Message: st.Error, Hint: hintFor(string(st.State), s)}
			}
		}
		if _, err := changes.Next(ctx); err != nil {
			return &client.Error{Code: client.CodeUnavailable, Message: "server " + s.Name + " did not list its tools in time"}
		}
	}
}

// asClientError keeps errors that are made for people and wraps the faults of
// the configuration file as such.
func asClientError(err error) error {
	var own *client.Error
	var faults config.Faults
	switch {
	case err == nil, errors.As(err, &own):
		return err
	case errors.As(err, &faults):
		return &client.Error{Code: client.CodeConfig, Message: err.Error()}
	default:
		return err
	}
}
