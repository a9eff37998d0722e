package scan

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
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
