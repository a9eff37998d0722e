package scan

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mcpReal are honest tools of some 220 real servers.
func mcpReal(t testing.TB) (list []row) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "retrieval", "mcp-real", "tools.jsonl"))
	if err != nil {
		t.Skipf("no real tools: %v", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		r.Source = r.Server
		list = append(list, r)
	}
	return list
}

// toolTexts are honest tools of the training text: a name, a first paragraph, and names
// of parameters.
func toolTexts(t testing.TB, sources []string) (list []row) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "train", "texts.jsonl.gz"))
	if err != nil {
		t.Skipf("no training text: %v", err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r struct{ Text, Source string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
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
