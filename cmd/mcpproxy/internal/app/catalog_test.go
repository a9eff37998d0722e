package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
)

// stocked returns a program whose index holds servers × tools invented tools.
func stocked(t testing.TB, servers, tools int) *App {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mcp_config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := open(Options{DataDir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	for s := range servers {
		name := fmt.Sprintf("s%03d", s)
		var list []tool.Tool
		for i := range tools {
			hints := ""
			if i%2 == 0 {
				hints = `,"annotations":{"readOnlyHint":true}`
			}
			raw := fmt.Sprintf(`{"name":"t%03d","title":"Number %d","description":"Does thing %d of server %d. %0400d","inputSchema":{"type":"object"}%s}`, i, i, i, s, i, hints)
			one, err := tool.Decode(name, json.RawMessage(raw))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, one)
		}
		if _, err := a.index.Replace(t.Context(), name, list); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestCatalog_FiltersAndPages(t *testing.T) {
	t.Parallel()
	a := stocked(t, 3, 10)
	for _, c := range []struct {
		name   string
		filter client.ToolFilter
		total  int
		first  string // id, "" for an empty page
		rows   int
	}{
		{"all", client.ToolFilter{Limit: 100}, 30, "s000:t000", 30},
		{"second page", client.ToolFilter{Limit: 12, Offset: 12}, 30, "s001:t002", 12},
		{"last page", client.ToolFilter{Limit: 12, Offset: 24}, 30, "s002:t004", 6},
		{"beyond", client.ToolFilter{Limit: 12, Offset: 30}, 30, "", 0},
		{"server", client.ToolFilter{Limit: 5, Server: "s001"}, 10, "s001:t000", 5},
		{"access", client.ToolFilter{Limit: 5, Access: "read"}, 15, "s000:t000", 5},
		{"id", client.ToolFilter{Limit: 5, Text: "S002:T00"}, 10, "s002:t000", 5},
		{"title", client.ToolFilter{Limit: 5, Text: "number 7"}, 3, "s000:t007", 3},
		{"description", client.ToolFilter{Limit: 5, Text: "thing 3 of server 1"}, 1, "s001:t003", 1},
		{"nothing", client.ToolFilter{Limit: 5, Server: "nobody"}, 0, "", 0},
	} {
		page, err := a.Catalog(t.Context(), c.filter)
		if err != nil || page.Total != c.total || len(page.Tools) != c.rows || c.rows > 0 && page.Tools[0].ID != c.first {
			t.Errorf("%s: total %d, %d rows, %v; want %d, %d from %s", c.name, page.Total, len(page.Tools), err, c.total, c.rows, c.first)
		}
		for _, row := range page.Tools {
			if n := len([]rune(row.Description)); n != rowDescription {
				t.Errorf("%s: description of %d characters", c.name, n)
			}
		}
	}
	if one, err := a.Tool(t.Context(), "s001:t003"); err != nil || len(one.Definition) < 400 || one.Hash == "" {
		t.Errorf("Tool = %+v, %v", one, err)
	}
	for id, code := range map[string]string{"s001:none": "not_found", "nobody:x": "not_found", "plain": "invalid"} {
		if _, err := a.Tool(t.Context(), id); codeOf(err) != code {
			t.Errorf("Tool(%q) = %v, want %s", id, err, code)
		}
	}
}

// 5,000 tools of 200 servers, the last page and a text that is in none.
func BenchmarkCatalog(b *testing.B) {
	a := stocked(b, 200, 25)
	for name, filter := range map[string]client.ToolFilter{
		"last page": {Limit: 100, Offset: 4900}, "filter": {Limit: 100, Text: "in none of them"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := a.Catalog(b.Context(), filter); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("stats", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Stats(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
