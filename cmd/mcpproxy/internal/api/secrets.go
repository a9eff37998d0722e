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

func (a *API) secrets(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Secrets(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) setSecret(w http.ResponseWriter, r *http.Request) {
	var body client.SecretRequest
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.SetSecret(r.Context(), r.PathValue("name"), body.Value)
	a.answer(w, r, v, err)
}

func (a *API) deleteSecret(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.DeleteSecret(r.Context(), r.PathValue("name"))
	a.answer(w, r, v, err)
}

func (a *API) secretChanged(w http.ResponseWriter, r *http.Request) {
	if err := read(r, &struct{}{}); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.SecretChanged(r.Context(), r.PathValue("name"))
	a.answer(w, r, v, err)
}
