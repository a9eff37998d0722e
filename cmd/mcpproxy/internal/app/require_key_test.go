package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
)

// Agents are asked for the key as soon as the configuration says so.
func TestRequireMCPAuth_IsInForceAtOnce(t *testing.T) {
	t.Parallel()
	a, err := open(Options{DataDir: t.TempDir()}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	agents, person := a.api.Handler(api.TCP), client.InProcess(a.api.Handler(api.Local))
	for _, step := range []struct {
		require string
		refused bool
	}{{"false", false}, {"true", true}, {"null", false}} {
		if _, err := person.PatchConfig(t.Context(), client.ConfigPatch{Set: map[string]json.RawMessage{"require_mcp_auth": json.RawMessage(step.require)}}); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "http://localhost/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		w := httptest.NewRecorder()
		agents.ServeHTTP(w, r)
		if (w.Code == http.StatusUnauthorized) != step.refused {
			t.Errorf("require_mcp_auth %s: %d %s", step.require, w.Code, w.Body)
		}
	}
}
