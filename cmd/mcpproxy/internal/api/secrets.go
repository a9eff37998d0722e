package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Secrets manages what ${keyring:name} stands for. No method returns a value.
type Secrets interface {
	Secrets(ctx context.Context) (client.Secrets, error)
	// SetSecret and DeleteSecret restart the servers that use the secret.
	SetSecret(ctx context.Context, name, value string) (client.SecretChange, error)
	DeleteSecret(ctx context.Context, name string) (client.SecretChange, error)
	// SecretChanged is for a change that another program made.
	SecretChanged(ctx context.Context, name string) (client.SecretChange, error)
}

func (a *API) secrets(r *http.Request) (client.Secrets, error) {
	return a.opt.Service.Secrets(r.Context())
}

func (a *API) setSecret(r *http.Request, body client.SecretRequest) (client.SecretChange, error) {
	return a.opt.Service.SetSecret(r.Context(), r.PathValue("name"), body.Value)
}

func (a *API) deleteSecret(r *http.Request) (client.SecretChange, error) {
	return a.opt.Service.DeleteSecret(r.Context(), r.PathValue("name"))
}

func (a *API) secretChanged(r *http.Request, _ nothing) (client.SecretChange, error) {
	return a.opt.Service.SecretChanged(r.Context(), r.PathValue("name"))
}
