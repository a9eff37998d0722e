package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/config"
)

// The user's own example, as it stands.
const seed = `{
  "listen": ":8080",
  "data_dir": "~/.mcpproxy",
  "enable_tray": true,

  // Search & tool limits
  "top_k": 5,
  "tools_limit": 15,
  "tool_response_limit": 20000,

  "docker_isolation": {
    "enabled": true, "memory_limit": "512m", "cpu_limit": "1.0", "timeout": "60s", "network_mode": "bridge",
    "default_images": { "python": "python:3.12" }
  },

  "mcpServers": [
    { "name": "local-python", "command": "python", "args": ["-m", "my_server"], "type": "stdio", "enabled": true },
    { "name": "remote-http", "url": "http://localhost:3001", "type": "http", "enabled": true },
    { "name": "cloudflare_autorag", "url": "https://autorag.mcp.cloudflare.com/mcp", "protocol": "streamable-http",
      "oauth": { "scopes": ["mcp.read", "mcp.write"], "pkce_enabled": true } },
    { "name": "isolated", "command": "python", "isolation": { "enabled": true, "image": "custom-python:latest", "working_dir": "/app" },
      "env": { "GITHUB_TOKEN": "${keyring:github_token}" }, "working_dir": "~/src", "timeout": "90s", }, // trailing commas
  ],
}`

func TestParse_Seed(t *testing.T) {
	t.Parallel()
	c, warnings, err := config.Parse([]byte(seed))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Parse(seed) = %v, %v, want no fault and no warning", warnings, err)
	}
	if c.DataDir != config.DefaultDataDir() || c.TopK != 5 || c.DockerIsolation.DefaultImages["python"] != "python:3.12" ||
		c.DockerIsolation.DefaultImages["npx"] != "node:20" || c.DockerIsolation.Timeout != time.Minute {
		t.Errorf("Parse(seed) = %+v", c)
	}
	want := []config.Server{
		{Name: "local-python", Transport: config.Stdio, Command: "python", Args: []string{"-m", "my_server"}, Enabled: true, AutoApprove: "none"},
		{Name: "remote-http", Transport: config.HTTP, URL: "http://localhost:3001", Enabled: true, AutoApprove: "none"},
		{Name: "cloudflare_autorag", Transport: config.HTTP, URL: "https://autorag.mcp.cloudflare.com/mcp", Enabled: true, AutoApprove: "none",
			OAuth: &config.OAuth{Scopes: []string{"mcp.read", "mcp.write"}, PKCE: true}},
		{Name: "isolated", Transport: config.Stdio, Command: "python", Enabled: true, AutoApprove: "none", Timeout: 90 * time.Second,
			Env: map[string]string{"GITHUB_TOKEN": "${keyring:github_token}"}, WorkingDir: config.ExpandHome("~/src"),
			Isolation: &config.Isolation{Enabled: new(true), Image: "custom-python:latest", WorkingDir: "/app"}},
	}
	if !reflect.DeepEqual(c.Servers, want) {
		t.Errorf("servers\n got %+v\nwant %+v", c.Servers, want)
	}
}

func TestParse_Forms(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"map", `{"mcpServers": {"a": {"command": "x"}, "b": {"url": "http://h/", "disabled": true}}}`},
		{"array", `{"mcpServers": [{"name": "a", "command": "x"}, {"name": "b", "url": "http://h/", "enabled": false}]}`},
		{"both flags", `{"mcpServers": [{"name": "a", "command": "x", "enabled": true, "disabled": false}, {"name": "b", "url": "http://h/", "disabled": true, "enabled": false}]}`},
		{"nulls", `{"listen": null, "mcpServers": {"a": {"command": "x", "url": null, "args": null}, "b": {"url": "http://h/", "disabled": true}}}`},
		{"byte order mark", "\xef\xbb\xbf{\"mcpServers\": {\"a\": {\"command\": \"x\"}, \"b\": {\"url\": \"http://h/\", \"disabled\": true}}}"},
		{"no final newline after a comment", `{"mcpServers": {"a": {"command": "x"}, "b": {"url": "http://h/", "disabled": true}}} // end`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, warnings, err := config.Parse([]byte(tt.text))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("Parse = %v, %v", warnings, err)
			}
			if len(c.Servers) != 2 || c.Servers[0].Transport != config.Stdio || !c.Servers[0].Enabled || c.Servers[0].SSEFallback ||
				c.Servers[1].Name != "b" || c.Servers[1].Enabled || !c.Servers[1].SSEFallback || c.Servers[1].Transport != config.HTTP {
				t.Errorf("servers = %+v", c.Servers)
			}
		})
	}
}

func TestParse_Transports(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"http": config.HTTP, "streamable-http": config.HTTP, "streamableHttp": config.HTTP, "sse": config.SSE} {
		for _, key := range []string{"type", "protocol", "transportType"} {
			c, warnings, err := config.Parse([]byte(`{"mcpServers": {"a": {"url": "https://h/mcp", "` + key + `": "` + word + `"}}}`))
			if err != nil || len(warnings) > 0 || c.Servers[0].Transport != want || c.Servers[0].SSEFallback {
				t.Errorf("%s %q: %+v, %v, %v, want %s without fallback", key, word, c, warnings, err, want)
			}
		}
	}
}

func TestParse_Empty(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n", "{}", "// nothing yet", "/* a */ // b\n", "\xef\xbb\xbf"} {
		c, warnings, err := config.Parse([]byte(text))
		if err != nil || len(warnings) > 0 {
			t.Errorf("Parse(%q) = %v, %v", text, warnings, err)
			continue
		}
		if c.Listen != ":8080" || c.TopK != 5 || c.ToolsLimit != 15 || c.ToolResponseLimit != 20000 || !c.EnableTray || !c.QuarantineEnabled ||
			!c.AllowServerAdd || !c.AllowServerRemove || c.LogLevel != "info" || c.DataDir != config.DefaultDataDir() || len(c.Servers) != 0 {
			t.Errorf("Parse(%q) = %+v, want the defaults", text, c)
		}
	}
}

func TestParse_Template(t *testing.T) {
	t.Parallel()
	c, warnings, err := config.Parse(config.Template())
	if err != nil || len(warnings) > 0 || len(c.Servers) != 0 {
		t.Errorf("Parse(Template()) = %+v, %v, %v, want no server, warning or fault", c, warnings, err)
	}
	// The examples are right too.
	var live []string
	for line := range strings.Lines(string(config.Template())) {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "// {") || strings.HasPrefix(trimmed, `//   "`) || strings.HasPrefix(trimmed, `// "`) {
			line = strings.Replace(line, "//", "", 1)
		}
		live = append(live, line)
	}
	c, warnings, err = config.Parse([]byte(strings.Join(live, "")))
	if err != nil || len(warnings) > 0 || len(c.Servers) != 4 {
		t.Errorf("the template's examples: %+v, %v, %v, want 4 servers", c, warnings, err)
	}
}

func TestParse_Faults(t *testing.T) {
	t.Parallel()
	server := func(fields string) string { return `{"mcpServers": [{"name": "a", ` + fields + `}]}` }
	tests := []struct{ name, text, path, message string }{
		{"wrong type", `{"top_k": "5"}`, "top_k", "must be a number, not a string"},
		{"fraction", `{"top_k": 1.5}`, "top_k", "whole number"},
		{"negative", `{"tool_response_limit": -1}`, "tool_response_limit", "at least 0"},
		{"zero top_k", `{"top_k": 0}`, "top_k", "at least 1"},
		{"huge", `{"top_k": 99999999999}`, "top_k", "whole number"},
		{"top_k over limit", `{"top_k": 20, "tools_limit": 10}`, "top_k", "above tools_limit"},
		{"duplicate key", "{\"top_k\": 1,\n\"top_k\": 2}", "top_k", "given twice (first on line 1)"},
		{"listen", `{"listen": "8080"}`, "listen", "host:port"},
		{"listen port", `{"listen": ":99999"}`, "listen", "port"},
		{"listen name", `{"listen": ":http"}`, "listen", "port"},
		{"level", `{"log_level": "loud"}`, "log_level", "trace, debug, info, warn or error"},
		{"host", `{"trusted_hosts": ["ok", "http://x/"]}`, "trusted_hosts[1]", "host name"},
		{"servers", `{"mcpServers": 5}`, "mcpServers", "list"},
		{"entry", `{"mcpServers": [5]}`, "mcpServers[0]", "must be an object"},
		{"no name", `{"mcpServers": [{"command": "x"}]}`, "mcpServers[0].name", "missing"},
		{"null name", `{"mcpServers": [{"name": null, "command": "x"}]}`, "mcpServers[0].name", "missing"},
		{"name type", `{"mcpServers": [{"name": 5, "command": "x"}]}`, "mcpServers[0].name", "must be a string"},
		{"name colon", `{"mcpServers": {"a:b": {"command": "x"}}}`, `mcpServers["a:b"]`, `":"`},
		{"name underscores", `{"mcpServers": {"a__b": {"command": "x"}}}`, "mcpServers.a__b", `"__"`},
		{"name control", `{"mcpServers": {"a\u001bb": {"command": "x"}}}`, `mcpServers["a\x1bb"]`, "control"},
		{"name bidi", `{"mcpServers": {"a\u202eb": {"command": "x"}}}`, `mcpServers["a\u202eb"]`, "invisible"},
		{"name long", `{"mcpServers": {"` + strings.Repeat("a", 65) + `": {"command": "x"}}}`, "mcpServers." + strings.Repeat("a", 65), "64"},
		{"name differs", `{"mcpServers": {"a": {"name": "b", "command": "x"}}}`, "mcpServers.a.name", "differs"},
		{"name twice", `{"mcpServers": [{"name": "a", "command": "x"}, {"name": "a", "command": "y"}]}`, "mcpServers[1].name", "already the name"},
		{"neither", server(`"args": []`), "mcpServers[0]", "needs a command"},
		{"both", server(`"command": "x", "url": "http://h/"`), "mcpServers[0]", "both"},
		{"stdio url", server(`"type": "stdio", "url": "http://h/"`), "mcpServers[0].type", "needs a command"},
		{"http command", server(`"protocol": "http", "command": "x"`), "mcpServers[0].protocol", "needs a url"},
		{"transport", server(`"type": "carrier-pigeon", "command": "x"`), "mcpServers[0].type", "one of"},
		{"two transports", server(`"type": "sse", "protocol": "http", "url": "http://h/"`), "mcpServers[0].protocol", "contradicts type"},
		{"flags", server(`"command": "x", "enabled": true, "disabled": true`), "mcpServers[0].disabled", "contradicts"},
		{"cwd", server(`"command": "x", "cwd": "/a", "working_dir": "/b"`), "mcpServers[0].cwd", "same as working_dir"},
		{"scheme", server(`"url": "ftp://h/?k=CANARY"`), "mcpServers[0].url", "http://"},
		{"bad url", server(`"url": "http://h:x/?k=CANARY"`), "mcpServers[0].url", "is not a URL"},
		{"no host", server(`"url": "http:///CANARY"`), "mcpServers[0].url", "no host"},
		{"map path", `{"mcpServers": {"github": {"url": "h"}}}`, "mcpServers.github.url", "http://"},
		{"url placeholder", server(`"url": "http://h/?k=${keyring:CANARY}"`), "mcpServers[0].url", "placeholders"},
		{"timeout text", server(`"command": "x", "timeout": "soon"`), "mcpServers[0].timeout", "duration"},
		{"timeout zero", server(`"command": "x", "timeout": 0`), "mcpServers[0].timeout", "above 0"},
		{"timeout long", server(`"command": "x", "timeout": 60000`), "mcpServers[0].timeout", "at most 10m"},
		{"env type", server(`"command": "x", "env": {"PORT": 3000}`), "mcpServers[0].env.PORT", "must be a string"},
		{"env list", server(`"command": "x", "env": ["A=CANARY"]`), "mcpServers[0].env", "must be an object"},
		{"header", server(`"url": "http://h/", "headers": {"A B": "CANARY"}`), `mcpServers[0].headers["A B"]`, "name of an HTTP header"},
		{"header value", server(`"url": "http://h/", "headers": {"A": "CANARY\r\nB: c"}`), "mcpServers[0].headers.A", "control"},
		{"arg", server(`"command": "x", "args": ["ok", 1]`), "mcpServers[0].args[1]", "must be a string"},
		{"memory", `{"docker_isolation": {"memory_limit": "lots"}}`, "docker_isolation.memory_limit", "size"},
		{"cpu", `{"docker_isolation": {"cpu_limit": -1}}`, "docker_isolation.cpu_limit", "processors"},
		{"image", `{"docker_isolation": {"default_images": {"go": "--privileged"}}}`, "docker_isolation.default_images.go", "word"},
		{"container path", server(`"command": "x", "isolation": {"working_dir": "app"}`), "mcpServers[0].isolation.working_dir", "absolute"},
		{"scopes", server(`"url": "http://h/", "oauth": {"scopes": "a"}`), "mcpServers[0].oauth.scopes", "list of strings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := config.Parse([]byte(tt.text))
			var faults config.Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Fatalf("Parse(%s) = %v, want one fault", tt.text, err)
			}
			if f := faults[0]; f.Path != tt.path || !strings.Contains(f.Message, tt.message) || f.Line == 0 {
				t.Errorf("Parse(%s) = %+v, want path %q and message with %q", tt.text, f, tt.path, tt.message)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the fault shows a value: %v", err)
			}
		})
	}
}

func TestParse_ReportsEveryFaultInOrder(t *testing.T) {
	t.Parallel()
	_, warnings, err := config.Parse([]byte(`{
  "listen": 5,
  "tpo_k": 5,
  "mcpServers": [
    { "name": "a" },
    { "name": "b", "command": "x" },
    { "name": "b", "url": "gopher://x", "arg": [] },
  ],
  "read_only": "yes"
}`))
	want := `configuration has 5 faults
  line 2: listen: must be a string, not a number
  line 5: mcpServers[0]: needs a command (a program to start) or a url (a server to connect to)
  line 7: mcpServers[2].url: must start with http:// or https://
  line 7: mcpServers[2].name: "b" is already the name of the server on line 6
  line 9: read_only: must be true or false, not a string`
	if err == nil || err.Error() != want {
		t.Errorf("Parse =\n%v\nwant\n%s", err, want)
	}
	got := []string{}
	for _, w := range warnings {
		got = append(got, w.String())
	}
	if want := []string{`line 3: tpo_k: unknown key, ignored (did you mean "top_k"?)`, `line 7: mcpServers[2].arg: unknown key, ignored (did you mean "args"?)`}; !slices.Equal(got, want) {
		t.Errorf("warnings = %q, want %q", got, want)
	}
}

func TestParse_Syntax(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text   string
		line, column int
		message      string
	}{
		{"missing comma", "{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3, "after object value"},
		{"missing quote", "{\n  \"env\": \"CANARY,\n \"b\": 2}", 2, 10, "is a quote missing?"},
		{"bare word", "{\"a\": CANARY}", 1, 7, "is a quote missing?"},
		{"end", "{\"a\": [1, 2\n", 2, 1, "the file ends"},
		{"open comment", "{} /* CANARY", 1, 4, "the file ends"},
		{"after", "{} {}", 1, 4, "after top-level value"},
		{"not an object", "\n[]", 2, 0, "must hold an object"},
		{"latin-1", "{\"a\": \"\xe4\"}", 1, 8, "UTF-8"},
		{"deep", strings.Repeat("[", 5000), 1, 1001, "nested"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := config.Parse([]byte(tt.text))
			var faults config.Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Fatalf("Parse = %v, want one fault", err)
			}
			if f := faults[0]; f.Line != tt.line || f.Column != tt.column || !strings.Contains(f.Message, tt.message) {
				t.Errorf("Parse = %+v, want line %d, column %d, %q", f, tt.line, tt.column, tt.message)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the fault shows a value: %v", err)
			}
		})
	}
}

func TestParse_Warnings(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, path, message string }{
		{"case", `{"mcpservers": []}`, "mcpservers", `"mcpServers"`},
		{"nested", `{"docker_isolation": {"memoryLimit": "1g"}}`, "docker_isolation.memoryLimit", `"memory_limit"`},
		{"far", `{"colour": 1}`, "colour", "unknown key, ignored"},
		{"odd key", "{\"a\\nb\": 1}", `["a\nb"]`, "unknown key"},
		{"pkce", `{"mcpServers": {"a": {"url": "http://h/", "oauth": {"pkce_enabled": false}}}}`, "mcpServers.a.oauth.pkce_enabled", "weaker"},
		{"password", `{"mcpServers": {"a": {"url": "http://me:CANARY@h/"}}}`, "mcpServers.a.url", "move it to headers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, warnings, err := config.Parse([]byte(tt.text))
			if err != nil || len(warnings) != 1 {
				t.Fatalf("Parse = %v, %v, want one warning", warnings, err)
			}
			if w := warnings[0]; w.Path != tt.path || !strings.Contains(w.Message, tt.message) || strings.Contains(w.Message, "CANARY") {
				t.Errorf("Parse = %+v, want %q with %q", w, tt.path, tt.message)
			}
		})
	}
}

func TestParse_SmallLimitPullsTheDefaultTopK(t *testing.T) {
	t.Parallel()
	c, _, err := config.Parse([]byte(`{"tools_limit": 3}`))
	if err != nil || c.TopK != 3 {
		t.Errorf("Parse = %+v, %v, want top_k 3", c, err)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := config.Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of a missing file = %v, want fs.ErrNotExist", err)
	}
	if _, _, err := config.Load(dir); err == nil {
		t.Error("Load of a folder succeeded")
	}
	path := filepath.Join(dir, "sub", config.FileName)
	if err := config.Create(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.Load(path); err != nil {
		t.Error(err)
	}
	if err := config.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a file = %v, want fs.ErrExist", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("Create made %v, %v, want 0600", info.Mode(), err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{seed, "", "{}", "\xef\xbb\xbf{}", `{"mcpServers": {"a": {"command": "x", "timeout": 1e400}}}`, `{"a":{"b":[1,{"c":null}]}}`, "{//\n}", `{"mcpServers":[{"name":"\ud800","command":"x"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := config.Parse(data)
		var faults config.Faults
		switch {
		case err == nil && c == nil, err != nil && !errors.As(err, &faults), err != nil && len(faults) == 0:
			t.Fatalf("Parse(%q) = %v, %v", data, c, err)
		case err != nil && strings.ContainsFunc(strings.ReplaceAll(err.Error(), "\n", ""), func(r rune) bool { return r < ' ' }):
			t.Fatalf("Parse(%q): control characters in %q", data, err)
		}
	})
}
