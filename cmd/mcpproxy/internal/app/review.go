package app

import (
	"context"
	"encoding/json"
	"slices"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// Waiting returns every configured server that has something for a person to
// review, in the order of the file.
func (a *App) Waiting(ctx context.Context) ([]client.Waiting, error) {
	var list []client.Waiting
	for _, s := range a.inForce.Load().Servers {
		page, err := a.page(s)
		if err != nil {
			return nil, err
		}
		if page.State != quarantine.Approved || len(page.Tools) > 0 {
			list = append(list, a.reviewPage(ctx, page))
		}
	}
	return list, nil
}

// Page returns what waits of a server as it was listed last.
func (a *App) Page(ctx context.Context, server string) (client.Waiting, error) {
	_, page, err := a.pageOf(server)
	if err != nil {
		return client.Waiting{}, err
	}
	return a.reviewPage(ctx, page), nil
}

// Inspect starts the server once where it is not running, stores what it lists
// and returns the page to review.
func (a *App) Inspect(ctx context.Context, server string, opt api.ListOptions) (client.Waiting, error) {
	s, err := a.configured(server)
	if err != nil {
		return client.Waiting{}, err
	}
	if _, err := a.listing(ctx, s, opt); err != nil {
		return client.Waiting{}, err
	}
	return a.Page(ctx, server)
}

// Approve approves the page whose hash is given. The pool starts the server as
// soon as the approval is on disk.
func (a *App) Approve(ctx context.Context, server, hash string) (client.Waiting, error) {
	s, page, err := a.pageOf(server)
	if err != nil {
		return client.Waiting{}, err
	}
	want, err := readHash(hash)
	if err != nil {
		return client.Waiting{}, err
	}
	a.invite(ctx, server)
	if _, err := a.gate.ApproveServer(server, want); err != nil {
		return client.Waiting{}, reviewError(err, server)
	}
	a.recordApproval(ctx, page)
	return pageDTO(page), a.indexApproved(ctx, s, page)
}

// ApproveItem approves one waiting definition of an approved server.
func (a *App) ApproveItem(ctx context.Context, server string, what client.ApproveRequest) error {
	s, _, err := a.pageOf(server) // it reads the login, which is part of the identity
	if err != nil {
		return err
	}
	id, err := itemID(server, what.Kind, what.Tool)
	if err != nil {
		return err
	}
	want, err := readHash(what.Hash)
	if err != nil {
		return err
	}
	if err := a.gate.Approve(id, want); err != nil {
		return reviewError(err, server)
	}
	a.audit.Record(reviewed(ctx, quarantine.EventApproved, id, want))
	if a.serving {
		return nil
	}
	_, err = a.listing(ctx, s, api.ListOptions{})
	return err
}

// Block keeps a server, or one of its definitions, from agents, or ends that.
func (a *App) Block(ctx context.Context, server string, what client.BlockRequest) error {
	s, err := a.configured(server)
	if err != nil {
		return err
	}
	id, err := itemID(server, what.Kind, what.Tool)
	if err != nil {
		return err
	}
	if known := a.gate.Known(server, a.launchOf(s)); id.Name != "" && !slices.Contains(known, id) {
		return unknownItem(id, known)
	}
	set, event := a.gate.Block, quarantine.EventBlocked
	if !what.Blocked {
		set, event = a.gate.Unblock, quarantine.EventUnblocked
	}
	if err := set(id); err != nil {
		return reviewError(err, server)
	}
	a.audit.Record(reviewed(ctx, event, id, tool.Hash{}))
	return nil
}

// itemID reads what a request names.
func itemID(server, kind, name string) (tool.ID, error) {
	k, err := tool.ParseKind(kind)
	if err != nil {
		return tool.ID{}, &client.Error{Code: client.CodeInvalid, Message: err.Error()}
	}
	return tool.ID{Server: server, Kind: k, Name: name}, nil
}

// History tells what happened at the gate, newest first.
// A server that is not configured and was never seen is an error.
func (a *App) History(_ context.Context, server string, limit int) ([]client.ReviewEvent, error) {
	events, err := a.gate.History(server, limit)
	if err != nil {
		return nil, err
	}
	if _, err := a.configured(server); server != "" && len(events) == 0 && err != nil {
		return nil, err
	}
	list := make([]client.ReviewEvent, 0, len(events))
	for _, e := range events {
		dto := client.ReviewEvent{Time: e.Time, What: e.What, Server: e.Server, Tool: e.Tool}
		if e.Tool != "" {
			dto.Kind = e.Kind.String()
		}
		if !e.Hash.IsZero() {
			dto.Hash = e.Hash.String()
		}
		list = append(list, dto)
	}
	return list, nil
}

// readHash reads the hash that an approval names: without one nothing is
// approved.
func readHash(text string) (h tool.Hash, err error) {
	if err := h.UnmarshalText([]byte(text)); err != nil {
		return h, &client.Error{Code: client.CodeInvalid, Message: err.Error(), Hint: "copy the hash that quarantine inspect prints"}
	}
	return h, nil
}

// indexApproved makes what was approved searchable where no instance runs that
// would list the server anyway.
func (a *App) indexApproved(ctx context.Context, s config.Server, page quarantine.Page) error {
	if a.serving {
		return nil
	}
	if page.State == quarantine.Approved { // the page held only the new tools
		_, err := a.listing(ctx, s, api.ListOptions{})
		return err
	}
	list := make([]tool.Tool, 0, len(page.Tools))
	for _, r := range page.Tools {
		list = append(list, r.Tool)
	}
	return a.admit(ctx, s.Name, list)
}

// pageOf returns a configured server and its page.
func (a *App) pageOf(server string) (s config.Server, page quarantine.Page, err error) {
	if s, err = a.configured(server); err == nil {
		page, err = a.page(s)
	}
	return s, page, err
}

// page asks the gate, telling it the launch identity in force.
func (a *App) page(s config.Server) (quarantine.Page, error) {
	a.logins.Load(s.Name)
	return a.gate.Page(s.Name, a.launchOf(s))
}

func pageDTO(p quarantine.Page) client.Waiting {
	dto := client.Waiting{
		Server: p.Server, State: string(p.State), Reason: p.Reason, Inspected: p.Inspected,
		Launch: client.Launch(p.Launch), Hash: p.Hash.String(), Tools: make([]client.Tool, 0, len(p.Tools)),
	}
	for _, r := range p.Tools {
		dto.Tools = append(dto.Tools, recordDTO(r.Tool, r))
	}
	return dto
}

// definitionDTO is a definition of any kind as REST shows it.
func definitionDTO(t tool.Tool, state string, h tool.Hash) client.Tool {
	dto := client.Tool{
		ID: t.ID.Target(), Kind: t.ID.Kind.String(), Server: t.ID.Server, Name: t.ID.Name,
		Description: t.Description, State: state, Hash: h.String(), Definition: t.Raw,
	}
	if t.ID.Kind == "" {
		dto.ID, dto.Access = t.ID.String(), t.Access().String()
	}
	return dto
}

func recordDTO(t tool.Tool, r quarantine.Record) client.Tool {
	dto := definitionDTO(t, string(r.State), r.Hash)
	dto.LooksLike, dto.Flapping = r.LooksLike, r.Flapping
	if len(r.Previous) > 0 {
		if d, err := quarantine.Compare(r.Previous, t.Raw); err == nil {
			dto.Diff, _ = json.Marshal(d)
		}
	}
	return dto
}
