package api

import (
	"net/http"

	"mcpproxy/internal/client"
)

func (a *API) approve(w http.ResponseWriter, r *http.Request) {
	var body client.ApproveRequest
	err := read(r, &body)
	server := r.PathValue("name")
	switch {
	case err != nil:
	case body.Tool != "":
		err = a.opt.Service.ApproveItem(r.Context(), server, body)
	default:
		v, err := a.opt.Service.Approve(r.Context(), server, body.Hash)
		a.answer(w, r, v, err)
		return
	}
	a.answer(w, r, struct{}{}, err)
}

func (a *API) waiting(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Waiting(r.Context())
	if v == nil {
		v = []client.Waiting{}
	}
	a.answer(w, r, v, err)
}

func (a *API) page(w http.ResponseWriter, r *http.Request) {
	v, err := a.opt.Service.Page(r.Context(), r.PathValue("name"))
	a.answer(w, r, v, err)
}

func (a *API) block(w http.ResponseWriter, r *http.Request) {
	var body client.BlockRequest
	err := read(r, &body)
	if err == nil {
		err = a.opt.Service.Block(r.Context(), r.PathValue("name"), body)
	}
	a.answer(w, r, struct{}{}, err)
}

func (a *API) history(w http.ResponseWriter, r *http.Request) {
	limit, err := number(r, "limit", 100, 10000)
	if err != nil {
		a.answer(w, r, nil, err)
		return
	}
	v, err := a.opt.Service.History(r.Context(), r.URL.Query().Get("server"), limit)
	if v == nil {
		v = []client.ReviewEvent{}
	}
	a.answer(w, r, v, err)
}
