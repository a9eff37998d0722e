package api

import (
	"net/http"

	"mcpproxy/internal/client"
)

func (a *API) approve(r *http.Request, body client.ApproveRequest) (any, error) {
	server := r.PathValue("name")
	if body.Tool != "" {
		return nothing{}, a.opt.Service.ApproveItem(r.Context(), server, body)
	}
	return a.opt.Service.Approve(r.Context(), server, body.Hash)
}

func (a *API) waiting(r *http.Request) ([]client.Waiting, error) {
	return a.opt.Service.Waiting(r.Context())
}

func (a *API) page(r *http.Request) (client.Waiting, error) {
	return a.opt.Service.Page(r.Context(), r.PathValue("name"))
}

func (a *API) block(r *http.Request, body client.BlockRequest) (nothing, error) {
	return nothing{}, a.opt.Service.Block(r.Context(), r.PathValue("name"), body)
}

func (a *API) history(r *http.Request) ([]client.ReviewEvent, error) {
	limit, err := number(r, "limit", 100, 10000)
	if err != nil {
		return nil, err
	}
	return a.opt.Service.History(r.Context(), r.URL.Query().Get("server"), limit)
}
