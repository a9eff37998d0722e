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

func (a *API) config(r *http.Request) (client.Config, error) {
	return a.opt.Service.Config(r.Context())
}

func (a *API) checkConfig(r *http.Request, body client.ConfigText) (client.ConfigCheck, error) {
	return a.opt.Service.CheckConfig(r.Context(), body.Text)
}

func (a *API) writeConfig(r *http.Request, body client.ConfigText) (client.Config, error) {
	return a.opt.Service.WriteConfig(r.Context(), body.Text, body.Hash)
}

func (a *API) patchConfig(r *http.Request, body client.ConfigPatch) (client.Config, error) {
	return a.opt.Service.PatchConfig(r.Context(), body)
}
