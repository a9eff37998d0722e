package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Scanner says what in the definitions that wait looks like an attack. It takes
// about a millisecond for each, so it is asked for one server at a time.
type Scanner interface {
	Scanned(ctx context.Context, server string) ([]client.Scanned, error)
}

func (a *API) scanned(r *http.Request) ([]client.Scanned, error) {
	return a.opt.Service.Scanned(r.Context(), r.PathValue("name"))
}
