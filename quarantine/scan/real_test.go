package scan

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// awsServers are of a source that is held out: their tools are not trained on.
var awsServers = map[string]bool{"billing-cost-management-mcp-server": true, "elasticache-mcp-server": true, "eks-mcp-server": true, "ccapi-mcp-server": true, "aurora-dsql-mcp-server": true,
	"finch-mcp-server": true, "amazon-keyspaces-mcp-server": true, "lambda-tool-mcp-server": true}

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
		if !awsServers[r.Server] {
			list = append(list, r)
		}
	}
	return list
}
