package api

import (
	"context"
	"net/http"

	"mcpproxy/internal/client"
)

// Catalog shows the tools that agents can find.
type Catalog interface {
	// Catalog returns one page, by id. Its Limit is at least 1.
	Catalog(ctx context.Context, f client.ToolFilter) (client.ToolPage, error)
	// Tool returns the tool id, "server:tool", whole.
	Tool(ctx context.Context, id string) (client.Tool, error)
}

const maxToolRows = 1000

func (a *API) catalog(r *http.Request) (client.ToolPage, error) {
	q := r.URL.Query()
	f := client.ToolFilter{Server: q.Get("server"), Access: q.Get("access"), Text: q.Get("q")}
	var err error
	if f.Offset, err = number(r, "offset", 0, 1<<30); err == nil {
		f.Limit, err = number(r, "limit", 100, maxToolRows)
	}
	if err == nil && f.Limit == 0 {
		err = &client.Error{Code: client.CodeInvalid, Message: "limit must be at least 1"}
	}
	if err != nil {
		return client.ToolPage{}, err
	}
	v, err := a.opt.Service.Catalog(r.Context(), f)
	if v.Tools == nil {
		v.Tools = []client.ToolRow{}
	}
	return v, err
}

func (a *API) tool(r *http.Request) (client.Tool, error) {
	return a.opt.Service.Tool(r.Context(), r.PathValue("id"))
}
