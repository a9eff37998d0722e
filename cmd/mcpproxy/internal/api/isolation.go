package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Isolation shows what the walls of a server are worth.
type Isolation interface {
	// ExamineIsolation builds the walls of the server around a probe, pulling the
	// image first if it is not there. The server itself is not started.
	ExamineIsolation(ctx context.Context, server string) (client.IsolationReport, error)
}

func (a *API) examineIsolation(r *http.Request, _ nothing) (client.IsolationReport, error) {
	return a.opt.Service.ExamineIsolation(r.Context(), r.PathValue("name"))
}
