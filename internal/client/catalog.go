package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// ToolFilter is the query of GET /api/v1/tools; an empty field chooses all.
type ToolFilter struct {
	Server string
	Access string // read, write or destructive
	Text   string // in the id, the title or the description, in any case
	Offset int    // tools to leave out
	Limit  int    // the most of them; 0: 100
}

// ToolPage is the answer of GET /api/v1/tools: tools that agents can find, by id.
type ToolPage struct {
	Total  int       `json:"total"` // that the filter chooses
	Offset int       `json:"offset"`
	Tools  []ToolRow `json:"tools"`
}

// ToolRow is one tool of a list. Description is its beginning.
type ToolRow struct {
	ID          string `json:"id"`
	Server      string `json:"server"`
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description"`
	Access      string `json:"access"` // read, write or destructive
}

// Catalog returns one page of the tools that agents can find.
func (c *Client) Catalog(ctx context.Context, f ToolFilter) (ToolPage, error) {
	q := url.Values{}
	for name, value := range map[string]string{"server": f.Server, "access": f.Access, "q": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	q.Set("offset", strconv.Itoa(f.Offset))
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return ask[ToolPage](ctx, c, http.MethodGet, "/api/v1/tools?"+q.Encode(), nil)
}

// Tool returns the whole definition of a tool that agents can find; id is
// "server:tool". The error of any other says what hides it.
func (c *Client) Tool(ctx context.Context, id string) (Tool, error) {
	return ask[Tool](ctx, c, http.MethodGet, "/api/v1/tools/"+url.PathEscape(id), nil)
}
