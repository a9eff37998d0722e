package app

import (
	"context"
	"errors"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// Waiting returns every configured server that has something for a person to
// review, in the order of the file.
func (a *App) Waiting(context.Context) ([]client.Waiting, error) {
	var list []client.Waiting
	for _, s := range a.inForce.Load().Servers {
		page, err := a.page(s)
		if err != nil {
			return nil, err
		}
		if page.State != quarantine.Approved || len(page.Tools) > 0 {
			list = append(list, pageDTO(page))
		}
	}
	return list, nil
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
	page, err := a.page(s)
	if err != nil {
		return client.Waiting{}, err
	}
	return pageDTO(page), nil
}

// Approve approves the page whose hash is given, or the stored page. The pool
// starts the server as soon as the approval is on disk.
func (a *App) Approve(ctx context.Context, server, hash string) (client.Waiting, error) {
	s, err := a.configured(server)
	if err != nil {
		return client.Waiting{}, err
	}
	page, err := a.page(s)
	if err != nil {
		return client.Waiting{}, err
	}
	if !page.Inspected && hash == "" {
		if _, err := a.Inspect(ctx, server, api.ListOptions{}); err != nil {
			return client.Waiting{}, err
		}
		if page, err = a.page(s); err != nil {
			return client.Waiting{}, err
		}
	}
	want := page.Hash
	if hash != "" {
		if err := want.UnmarshalText([]byte(hash)); err != nil {
			return client.Waiting{}, &client.Error{Code: "invalid", Message: err.Error(), Hint: "copy the hash that quarantine inspect prints"}
		}
	}
	if _, err := a.gate.ApproveServer(server, want); err != nil {
		if errors.Is(err, quarantine.ErrMoved) {
			return client.Waiting{}, &client.Error{Code: "conflict", Message: err.Error(), Hint: "look again: mcpproxy quarantine inspect " + server}
		}
		return client.Waiting{}, err
	}
	return pageDTO(page), a.indexApproved(ctx, s, page)
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
	tools := make([]tool.Tool, 0, len(page.Tools))
	for _, r := range page.Tools {
		tools = append(tools, r.Tool)
	}
	return a.admit(ctx, s.Name, tools)
}

// page asks the gate, telling it the launch identity in force.
func (a *App) page(s config.Server) (quarantine.Page, error) {
	return a.gate.Page(s.Name, launchOf(s))
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

func recordDTO(t tool.Tool, r quarantine.Record) client.Tool {
	return client.Tool{
		ID: t.ID.String(), Server: t.ID.Server, Name: t.ID.Name, Description: t.Description,
		Access: t.Access().String(), State: string(r.State), Hash: r.Hash.String(), Definition: t.Raw,
	}
}
