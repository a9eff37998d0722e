package app

import (
	"context"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
)

const rowDescription = 300 // characters of a description in a list

// Catalog returns one page of the tools that agents can find.
func (a *App) Catalog(_ context.Context, f client.ToolFilter) (client.ToolPage, error) {
	page := client.ToolPage{Offset: f.Offset}
	text := strings.ToLower(f.Text)
	for t := range a.index.All() {
		if f.Server != "" && f.Server != t.ID.Server || f.Access != "" && f.Access != t.Access().String() || !mentions(t, text) {
			continue
		}
		if page.Total >= f.Offset && len(page.Tools) < f.Limit {
			page.Tools = append(page.Tools, rowDTO(t))
		}
		page.Total++
	}
	return page, nil
}

// mentions reports whether text, in small letters, is in what a list shows of t.
func mentions(t tool.Tool, text string) bool {
	if text == "" {
		return true
	}
	for _, s := range []string{t.ID.String(), t.Title, t.Description} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

func rowDTO(t tool.Tool) client.ToolRow {
	row := client.ToolRow{
		ID: t.ID.String(), Server: t.ID.Server, Name: t.ID.Name, Title: t.Title,
		Description: t.Description, Access: t.Access().String(),
	}
	if r := []rune(row.Description); len(r) > rowDescription {
		row.Description = string(r[:rowDescription-1]) + "…"
	}
	return row
}

// Tool returns a tool that agents can find.
func (a *App) Tool(_ context.Context, name string) (client.Tool, error) {
	id, err := tool.ParseID(name)
	if err != nil {
		return client.Tool{}, &client.Error{Code: client.CodeInvalid, Message: err.Error(), Hint: "name the tool as server:tool"}
	}
	t, found := a.index.Get(id)
	if !found {
		return client.Tool{}, &client.Error{Code: client.CodeNotFound, Message: "no agent can find " + name + ": " + a.hides(id)}
	}
	return a.toolDTO(t), nil
}
