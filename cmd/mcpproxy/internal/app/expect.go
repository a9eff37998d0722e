package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"mcpproxy/index"
	"mcpproxy/internal/client"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// Expect answers why a tool is not among the hits of a search: what hides it, or
// where it stands.
func (a *App) Expect(ctx context.Context, query, server, name string) (client.Expectation, error) {
	e := client.Expectation{ID: name}
	id, err := tool.ParseID(name)
	if err != nil {
		return e, &client.Error{Code: client.CodeInvalid, Message: err.Error(), Hint: "name the tool as server:tool"}
	}
	a.awaitModel(ctx)
	s, err := a.index.Standing(ctx, index.Query{Text: query, Server: server}, id)
	if err != nil {
		return e, err
	}
	e.Rank, e.Of = s.Rank, s.Of
	switch {
	case !s.Known:
		e.Reason = a.hides(id)
	case server != "" && server != id.Server:
		e.Reason = fmt.Sprintf("the search was for tools of %s only", server)
	case s.Rank == 0:
		e.Reason = "no word of the request is in its texts, and no vector says that they are alike"
	default:
		e.Reason = fmt.Sprintf("it is number %d of %d", s.Rank, s.Of)
	}
	if s.Rank > 0 {
		e.Explain, err = json.Marshal(s.Explain)
	}
	return e, err
}

// hides says why the index does not have a tool.
func (a *App) hides(id tool.ID) string {
	s, err := a.configured(id.Server)
	switch {
	case err != nil:
		return fmt.Sprintf("no server is called %s", id.Server)
	case !s.Enabled:
		return fmt.Sprintf("server %s is disabled: %s", id.Server, hint.Command("upstream", "enable", id.Server))
	}
	if slices.Contains(a.gate.Blocked(id.Server), id) {
		return "it is blocked: " + hint.Command("quarantine", "unblock", id.Target())
	}
	for _, page := range a.gate.Waiting() {
		if page.Server != id.Server {
			continue
		}
		for _, held := range page.Tools {
			if held.Tool.ID == id {
				return fmt.Sprintf("it is not approved (%s): %s", held.State, hint.Command("quarantine", "inspect", id.Server))
			}
		}
		if page.State != quarantine.Approved {
			return fmt.Sprintf("server %s is not approved (%s): %s", id.Server, page.State, hint.Command("quarantine", "inspect", id.Server))
		}
	}
	return fmt.Sprintf("server %s has no tool %s in its last listing: %s", id.Server, id.Name, hint.Command("tools", "list", id.Server))
}
