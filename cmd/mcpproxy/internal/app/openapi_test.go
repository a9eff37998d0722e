package app

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
)

// What a real program answers fits the document that it serves.
func TestOpenAPI_RealAnswersFit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := `{"mcpServers": {"a": {"command": "x", "env": {"T": "s3cret"}}, "b": {"url": "https://h.test/mcp", "enabled": false}}}`
	if err := os.WriteFile(filepath.Join(dir, "mcp_config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := open(Options{DataDir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	h := a.api.Handler(api.Local)
	ask := func(path string) any {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
		if err != nil || w.Code != 200 {
			t.Fatalf("%s = %d %s: %v", path, w.Code, w.Body, err)
		}
		return v
	}
	doc := ask("/api/v1/openapi.json")
	c := jsonschema.NewCompiler()
	if err := c.AddResource("doc", doc); err != nil {
		t.Fatal(err)
	}
	if err := client.InProcess(h).Block(t.Context(), "a", client.BlockRequest{Blocked: true}); err != nil { // for the history
		t.Fatal(err)
	}
	for path, of := range map[string]string{
		"/api/v1/status": "/api/v1/status", "/api/v1/servers": "/api/v1/servers", "/api/v1/servers/a": "/api/v1/servers/{name}",
		"/api/v1/tools": "/api/v1/tools", "/api/v1/tools/search?q=x": "/api/v1/tools/search",
		"/api/v1/quarantine": "/api/v1/quarantine", "/api/v1/quarantine/a/page": "/api/v1/quarantine/{name}/page",
		"/api/v1/quarantine/history": "/api/v1/quarantine/history", "/api/v1/audit": "/api/v1/audit",
		"/api/v1/stats": "/api/v1/stats", "/api/v1/config": "/api/v1/config", "/api/v1/index": "/api/v1/index", "/api/v1/models": "/api/v1/models",
		"/api/v1/session": "/api/v1/session", "/healthz": "/healthz",
	} {
		schema, err := c.Compile("doc#/paths/" + pointer(of) + "/get/responses/200/content/application~1json/schema")
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		if err := schema.Validate(ask(path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// pointer escapes a path for a JSON pointer in a URL fragment.
func pointer(path string) string {
	var out []byte
	for i := range len(path) {
		switch c := path[i]; c {
		case '/':
			out = append(out, "~1"...)
		case '{':
			out = append(out, "%7B"...)
		case '}':
			out = append(out, "%7D"...)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
