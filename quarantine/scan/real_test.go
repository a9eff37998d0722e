package scan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// mcpReal are honest tools of some 220 real servers.
func mcpReal(t testing.TB) []row {
	t.Helper()
	list := shared[row](t, "retrieval", "mcp-real", "tools.jsonl")
	for i := range list {
		list[i].Source = list[i].Server
	}
	return list
}

// toolTexts are honest tools of the training text: a name, a first paragraph, and names
// of parameters.
func toolTexts(t testing.TB, sources []string) (list []row) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range shared[struct{ Text, Source string }](t, "train", "texts.jsonl.gz") {
		name, rest, ok := strings.Cut(r.Text, ": ")
		if !ok || !slices.Contains(sources, r.Source) || strings.Contains(name, " ") {
			continue
		}
		says, params, _ := strings.Cut(rest, " Parameters: ")
		if seen[says] {
			continue
		}
		seen[says] = true
		properties := map[string]any{}
		for p := range strings.SplitSeq(params, ", ") {
			if p != "" && !strings.Contains(p, " ") {
				properties[p] = map[string]any{}
			}
		}
		schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, row{Name: name, Description: says, Source: r.Source, InputSchema: schema, fromText: true})
	}
	return list
}
