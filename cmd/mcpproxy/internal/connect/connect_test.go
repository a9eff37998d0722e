package connect

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/config/jsonc"
)

var entry = Entry{URL: "http://localhost:8080/mcp/", Command: "/usr/local/bin/mcpproxy", Args: []string{"stdio"}}

// samples are files as people have them, by client: comments, odd layouts, line
// ends, nothing at all.
var samples = map[string][]string{
	"cursor": {
		"",
		"{}",
		"{\n  // servers of mine\n  \"mcpServers\": {\n    \"github\": { \"command\": \"npx\", \"env\": { \"TOKEN\": \"s3cret\" } }, // keep\n  },\n}\n",
		"{\"mcpServers\":{}}",
		"{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\r\n\t\t\t\"url\": \"https://example.com\"\r\n\t\t}\r\n\t}\r\n}\r\n",
		"\ufeff{\n    \"other\": [1,2 ,3]\n}",
	},
	"vscode": {
		"{\n\t\"inputs\": [\n\t\t{ \"id\": \"key\", \"type\": \"promptString\", \"password\": true },\n\t],\n\t\"servers\": {\n\t\t/* mine */\n\t\t\"files\": { \"type\": \"stdio\", \"command\": \"npx\" }\n\t}\n}",
		"// nothing yet\n{ }\n",
	},
	"claude-desktop": {
		"{\n  \"globalShortcut\": \"Ctrl+Space\",\n  \"mcpServers\": null\n}\n",
		"{\"mcpServers\": {\"fs\": {\"command\": \"npx\", \"args\": [\"-y\", \"x\"]}}, \"isUsingBuiltInNodeForMcp\": true}",
	},
	"claude-code": {
		"{\n  \"numStartups\": 184,\n  \"bigNumber\": 12345678901234567890,\n  \"projects\": { \"/home/me/p\": { \"mcpServers\": {}, \"history\": [] } },\n  \"oauthAccount\": {\"id\": 1e3}\n}\n",
	},
	"gemini": {
		"{\n  \"theme\": \"GitHub\",\n  \"mcpServers\": {\n    \"x\": {\n      \"httpUrl\": \"https://example.com/mcp\",\n      \"headers\": {\"Authorization\": \"Bearer s3cret\"}\n    }\n  },\n  \"selectedAuthType\": \"oauth\" // trailing\n}\n",
	},
	"goose": {
		"",
		"# my goose\nGOOSE_PROVIDER: openai\nextensions:\n  developer: # built in\n    bundled: true\n    enabled: true\n    name: developer\n    timeout: 300\n    type: builtin\n\n  # notes of mine\n  notes:\n    cmd: npx\n    args: ['-y', \"notes\"]\n    envs: {}\n    type: stdio\n    enabled: false\n    name: notes\n    timeout: 300\n\nGOOSE_MODEL: gpt\n",
		"GOOSE_MODEL: x\nextensions: {}\n",
		"GOOSE_MODEL: x\nextensions: # none\n",
		"GOOSE_MODEL: |\n  several\n  extensions:\n    lines\n",
		"extensions:\r\n    a:\r\n        type: builtin\r\n        name: a\r\n        enabled: true\r\n",
		"GOOSE_MODEL: no newline",
	},
	"codex": {
		"",
		"model = \"o3\" # mine\n\n[mcp_servers.docs]\ncommand = \"npx\"\nargs = [\"-y\", \"docs\"]\n\n  [mcp_servers.docs.env]\n  \"KEY\" = 's3cret'\n\n# the last words",
		"[mcp_servers]\n[mcp_servers.a]\nurl = \"https://example.com\"\n[profiles.x]\nnote = \"\"\"\n[mcp_servers.b]\nnot a table\n\"\"\"\n",
		"model = \"o3\"\r\n",
	},
}

func clientFile(t *testing.T, name, text string) (Client, Places, string) {
	t.Helper()
	c, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	p := Places{GOOS: "linux", Home: t.TempDir()}
	path := c.Path(p)
	if text != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return c, p, path
}

func connectTo(t *testing.T, c Client, p Places, e Entry) *Plan {
	t.Helper()
	plan, err := c.Plan(p, e, "")
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	if err := plan.Apply(filepath.Join(p.Home, "backups")); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return plan
}

func eachSample(t *testing.T, check func(t *testing.T, c Client, p Places, path, text string)) {
	for _, known := range Clients() {
		if len(samples[known.Name]) == 0 {
			t.Errorf("no sample of %s", known.Name)
		}
		for _, text := range samples[known.Name] {
			t.Run(known.Name, func(t *testing.T) {
				t.Parallel()
				c, p, path := clientFile(t, known.Name, text)
				check(t, c, p, path, text)
			})
		}
	}
}

func TestConnect_UndoIsByteIdentical(t *testing.T) {
	t.Parallel()
	eachSample(t, func(t *testing.T, c Client, p Places, path, text string) {
		if plan := connectTo(t, c, p, entry); plan.Change != Add || plan.Existed != (text != "") {
			t.Errorf("plan = %s, existed %v", plan.Change, plan.Existed)
		}
		written, _ := os.ReadFile(path)
		if !bytes.Contains(written, []byte(EntryName)) {
			t.Fatalf("no entry in\n%s", written)
		}
		t.Logf("\n%s", written)
		if again := connectTo(t, c, p, entry); again.Change != None {
			t.Errorf("a second time: %s", again.Change)
		}
		moved := entry
		moved.URL, moved.Command = "http://localhost:9999/mcp/", "/opt/mcpproxy"
		if again := connectTo(t, c, p, moved); again.Change != Update {
			t.Errorf("with another address: %s", again.Change)
		}
		undone, err := c.Undo(p, filepath.Join(p.Home, "backups"), "")
		if err != nil || !undone.Restored || undone.Removed != (text == "") {
			t.Fatalf("Undo = %+v, %v", undone, err)
		}
		got, err := os.ReadFile(path)
		if text == "" {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file is still there: %q", got)
			}
			return
		}
		if string(got) != text {
			t.Errorf("after undo\n%q\nwant\n%q", got, text)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
			t.Errorf("mode %v", info.Mode())
		}
		if _, err := c.Undo(p, filepath.Join(p.Home, "backups"), ""); !errors.Is(err, ErrNotConnected) {
			t.Errorf("a second undo: %v, want ErrNotConnected", err)
		}
	})
}

// Every line that was there is there still, in order: our entry only adds lines,
// a comma or a pair of braces.
func TestConnect_RestStays(t *testing.T) {
	t.Parallel()
	eachSample(t, func(t *testing.T, c Client, p Places, path, text string) {
		connectTo(t, c, p, entry)
		written, _ := os.ReadFile(path)
		rest := string(written)
		for line := range strings.Lines(text) {
			if line = strings.Trim(line, " \t\r\n},"); line == "" || strings.HasPrefix(line, "extensions: {") || strings.HasSuffix(line, ": null") || strings.Count(text, "\n") == 0 {
				continue // replaced, or all on one line
			}
			_, after, found := strings.Cut(rest, strings.TrimSuffix(line, "{"))
			if !found {
				t.Fatalf("line %q is lost or moved in\n%s", line, written)
			}
			rest = after
		}
	})
}

func TestConnect_UndoAfterAnotherEditTakesOnlyOurs(t *testing.T) {
	t.Parallel()
	eachSample(t, func(t *testing.T, c Client, p Places, path, text string) {
		connectTo(t, c, p, entry)
		written, _ := os.ReadFile(path)
		comment := map[format]string{jsonFormat{}: "// later\n", yamlFormat{}: "# later\n", tomlFormat{}: "# later\n"}[c.format]
		edited := append([]byte(comment), bytes.TrimPrefix(written, []byte("\ufeff"))...)
		if err := os.WriteFile(path, edited, 0o640); err != nil {
			t.Fatal(err)
		}
		undone, err := c.Undo(p, filepath.Join(p.Home, "backups"), "")
		if err != nil || undone.Restored {
			t.Fatalf("Undo = %+v, %v", undone, err)
		}
		got, _ := os.ReadFile(path)
		if bytes.Contains(got, []byte(EntryName)) || !bytes.Contains(got, []byte("later")) {
			t.Errorf("left\n%s", got)
		}
	})
}

func TestPlan_RefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, client, text, fault string }{
		{"broken JSON", "cursor", `{"mcpServers": {"a": s3cret}}`, "line 1"},
		{"list of servers", "cursor", `{"mcpServers": ["s3cret"]}`, "not a table"},
		{"flow mapping", "goose", "extensions: {a: {type: builtin, name: s3cret}}\n", "layout"},
		{"tabs in YAML", "goose", "extensions:\n\ta: s3cret\n", "not YAML"},
		{"several documents", "goose", "a: 1\n---\nb: s3cret\n", "several documents"},
		{"inline table", "codex", "mcp_servers = { a = { url = \"s3cret\" } }\n", "layout"},
		{"broken TOML", "codex", "model = s3cret\n", "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, p, path := clientFile(t, tt.client, tt.text)
			_, err := c.Plan(p, entry, "")
			if err == nil || !strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("Plan = %v, want one about %q that quotes nothing", err, tt.fault)
			}
			if got, _ := os.ReadFile(path); string(got) != tt.text {
				t.Errorf("the file changed: %q", got)
			}
		})
	}
}

func TestApply_RefusesAFileThatMoved(t *testing.T) {
	t.Parallel()
	c, p, path := clientFile(t, "cursor", "{}")
	plan, err := c.Plan(p, entry, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := plan.Apply(filepath.Join(p.Home, "backups")); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("Apply = %v", err)
	}
}

func TestClient_Path(t *testing.T) {
	t.Parallel()
	tests := []struct{ client, goos, want string }{
		{"vscode", "linux", "/home/me/.config/Code/User/mcp.json"},
		{"vscode", "darwin", "/home/me/Library/Application Support/Code/User/mcp.json"},
		{"vscode", "windows", "/home/me/AppData/Roaming/Code/User/mcp.json"},
		{"claude-desktop", "darwin", "/home/me/Library/Application Support/Claude/claude_desktop_config.json"},
		{"goose", "darwin", "/home/me/.config/goose/config.yaml"},
		{"goose", "windows", "/home/me/AppData/Roaming/Block/goose/config/config.yaml"},
		{"claude-code", "linux", "/home/me/.claude.json"},
		{"codex", "linux", "/home/me/.codex/config.toml"},
		{"gemini", "windows", "/home/me/.gemini/settings.json"},
	}
	for _, tt := range tests {
		c, err := Find(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.ToSlash(c.Path(Places{GOOS: tt.goos, Home: "/home/me"})); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.client, tt.goos, got, tt.want)
		}
	}
}

// Whatever a file holds, an edit either keeps the rest or is refused, and taking
// the entry out again leaves what was there.
func FuzzFormats(f *testing.F) {
	for _, c := range Clients() {
		for _, text := range samples[c.Name] {
			f.Add(c.Name, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		c, err := Find(name)
		if err != nil {
			t.Skip()
		}
		fields := c.entry(entry)
		if _, _, err := c.current(text); err != nil {
			return
		}
		after, err := c.format.put(text, c.section, fields)
		if err != nil || verify(c, text, after, fields) != nil {
			return
		}
		back, err := c.format.drop(after, c.section)
		if err != nil {
			return
		}
		if err := verify(c, after, back, nil); err != nil && !errors.Is(err, ErrLayout) {
			t.Fatalf("%v\n%q\n%q", err, after, back)
		}
	})
}

// TestApply_TheKeyIsNobodyElses: a client's file is often readable by everyone on
// the machine. With the proxy's key in it, it is not.
func TestApply_TheKeyIsNobodyElses(t *testing.T) {
	t.Parallel()
	keyed := entry
	keyed.Headers = map[string]string{"Authorization": "Bearer k"}
	for name, e := range map[string]Entry{"without a key": entry, "with one": keyed} {
		c, p, path := clientFile(t, "cursor", `{"mcpServers": {}}`)
		plan := connectTo(t, c, p, e)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		private := info.Mode().Perm() == 0o600
		if want := len(e.Headers) > 0; private != want || plan.HoldsKey() != want {
			t.Errorf("%s: mode %v, HoldsKey %v", name, info.Mode(), plan.HoldsKey())
		}
	}
}

func TestEntry_HeadersGoWhereTheClientReadsThem(t *testing.T) {
	t.Parallel()
	keyed := entry
	keyed.Headers = map[string]string{"Authorization": "Bearer k"}
	want := map[string]string{"cursor": "headers", "vscode": "headers", "goose": "headers", "claude-code": "headers", "codex": "http_headers", "gemini": "headers"}
	for name, key := range want {
		c, p, _ := clientFile(t, name, "")
		plan := connectTo(t, c, p, keyed)
		var last jsonc.Field
		for _, last = range plan.Fields {
		}
		if last.Key != key {
			t.Errorf("%s: %q, want %q", name, last.Key, key)
		}
	}
}
