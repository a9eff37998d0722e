package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Stats tells what agents did.
type Stats interface {
	Stats(ctx context.Context) (client.Stats, error)
}

func (a *API) stats(r *http.Request) (client.Stats, error) {
	return a.opt.Service.Stats(r.Context())
}
