package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Config reads and writes the configuration file.
type Config interface {
	Config(ctx context.Context) (client.Config, error)
	CheckConfig(ctx context.Context, text string) (client.ConfigCheck, error)
	WriteConfig(ctx context.Context, text, hash string) (client.Config, error)
	PatchConfig(ctx context.Context, p client.ConfigPatch) (client.Config, error)
}

func (a *API) config(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Config(r.Context())
	a.answer(w, r, v, err)
}

func (a *API) checkConfig(w http.ResponseWriter, r *http.Request) {
	var body client.ConfigText
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.CheckConfig(r.Context(), body.Text)
	a.answer(w, r, v, err)
}

func (a *API) writeConfig(w http.ResponseWriter, r *http.Request) {
	var body client.ConfigText
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.WriteConfig(r.Context(), body.Text, body.Hash)
	a.answer(w, r, v, err)
}

func (a *API) patchConfig(w http.ResponseWriter, r *http.Request) {
	var body client.ConfigPatch
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.PatchConfig(r.Context(), body)
	a.answer(w, r, v, err)
}
