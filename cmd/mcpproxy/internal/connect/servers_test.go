package connect

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestServers_EveryForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, text string
		want             []Server
	}{
		{"map", "mcp.json", `{"mcpServers": {"a": {"command": "npx", "args": ["x", 1], "env": {"A": "b"}, "cwd": "/w"}}}`,
			[]Server{{Name: "a", Command: "npx", Args: []string{"x", "1"}, Env: map[string]string{"A": "b"}, WorkingDir: "/w"}}},
		{"array", "mcp.json", `{"mcpServers": [{"name": "a", "url": "https://x", "protocol": "streamable-http", "enabled": false}, {"command": "y"}]}`,
			[]Server{{Name: "a", URL: "https://x", Transport: "http", Disabled: true}, {Name: "server-2", Command: "y"}}},
		{"VS Code settings", "settings.json", `{"mcp": {"servers": {"a": {"type": "sse", "url": "https://x"}}}}`,
			[]Server{{Name: "a", URL: "https://x", Transport: "sse"}}},
		{"VS Code input", "mcp.json", `{"servers": {"a": {"type": "stdio", "command": "c", "env": {"K": "${input:key}", "L": "${env:L}"}}}}`,
			[]Server{{Name: "a", Command: "c", Env: map[string]string{"K": "${keyring:key}", "L": "${env:L}"},
				Notes: []string{`VS Code asks for "key"; set it here: mcpproxy secrets set key`}}}},
		{"Claude Code variable", ".claude.json", `{"mcpServers": {"a": {"type": "http", "url": "https://x", "headers": {"Authorization": "Bearer ${TOKEN:-none}"}}}}`,
			[]Server{{Name: "a", URL: "https://x", Transport: "http", Headers: map[string]string{"Authorization": "Bearer ${env:TOKEN}"},
				Notes: []string{"${TOKEN} has no default here: set that environment variable"}}}},
		{"Gemini", "settings.json", `{"mcpServers": {"a": {"httpUrl": "https://x"}}}`,
			[]Server{{Name: "a", URL: "https://x", Transport: "http"}}},
		{"Codex", "config.toml", "[mcp_servers.a]\ncommand = \"c\"\nenv_vars = [\"TOKEN\"]\n[mcp_servers.a.env]\nA = \"b\"\n[mcp_servers.r]\nurl = \"https://x\"\nbearer_token_env_var = \"T\"\nenv_http_headers = { \"X-A\" = \"A\" }\n",
			[]Server{
				{Name: "a", Command: "c", Env: map[string]string{"A": "b", "TOKEN": "${env:TOKEN}"}},
				{Name: "r", URL: "https://x", Headers: map[string]string{"Authorization": "Bearer ${env:T}", "X-A": "${env:A}"}},
			}},
		{"Goose", "config.yaml", "extensions:\n  dev: {type: builtin, name: dev}\n  n: {type: stdio, cmd: c, args: [x], envs: {A: 1}, env_keys: [KEY]}\n  r: {type: streamable_http, uri: 'https://x'}\n",
			[]Server{
				{Name: "dev", Skip: `it is of type "builtin", which is not an MCP server of its own`},
				{Name: "n", Command: "c", Args: []string{"x"}, Env: map[string]string{"A": "1", "KEY": "${keyring:key}"},
					Notes: []string{"Goose keeps KEY in its own keyring; set it here: mcpproxy secrets set key"}},
				{Name: "r", URL: "https://x", Transport: "http"},
			}},
		{"ours is left out", "mcp.json", `{"mcpServers": {"mcpproxy": {"command": "/usr/bin/mcpproxy", "args": ["stdio"]}, "b": {"command": "c"}}}`,
			[]Server{{Name: "b", Command: "c"}}},
		{"nothing to start", "mcp.json", `{"mcpServers": {"a": {}, "b": 3, "c": {"url": "https://x/${T}"}}}`,
			[]Server{{Name: "a", Skip: "it has neither a command nor a URL"}, {Name: "b", Skip: "its entry is not a table"},
				{Name: "c", URL: "https://x/${T}", Skip: "its URL holds a placeholder, which is not possible here: put secrets into headers"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tt.file)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Servers(path)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Servers = %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestServer_Plain(t *testing.T) {
	t.Parallel()
	s := Server{
		Name:    "GitHub Work",
		Env:     map[string]string{"GITHUB_TOKEN": "ghp_abcdef", "DEBUG": "1", "PORT": "8080", "KEY": "${env:KEY}", "PLAIN": "sk-abcdefgh", "PATH": "/usr/bin"},
		Headers: map[string]string{"Authorization": "Bearer abcdefgh", "X-Api-Key": "12345678", "Accept": "application/json"},
	}
	want := []Plain{
		{"env", "GITHUB_TOKEN", "github_work_github_token", "ghp_abcdef"},
		{"env", "PLAIN", "github_work_plain", "sk-abcdefgh"},
		{"header", "Authorization", "github_work_authorization", "abcdefgh"},
		{"header", "X-Api-Key", "github_work_x_api_key", "12345678"},
	}
	got := s.Plain()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("Plain = %+v\nwant %+v", got, want)
	}
	for _, p := range got {
		s.Hide(p)
	}
	if s.Headers["Authorization"] != "Bearer ${keyring:github_work_authorization}" || s.Env["PLAIN"] != "${keyring:github_work_plain}" {
		t.Errorf("hidden: %+v", s)
	}
	if left := s.Plain(); len(left) > 0 {
		t.Errorf("left: %+v", left)
	}
}
