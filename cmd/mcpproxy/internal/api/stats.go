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

func (a *API) stats(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Stats(r.Context())
	a.answer(w, r, v, err)
}
