package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"mcpproxy/internal/client"
)

// inMemory returns a client of f without a network.
func inMemory(f *fake) *client.Client {
	return client.InProcess(New(Options{Service: f, MCP: echoMCP}).Handler(Local))
}

func TestClient_MirrorsTheService(t *testing.T) {
	t.Parallel()
	f := &fake{steps: 3, tools: []client.Tool{{ID: "a:b", Definition: json.RawMessage(`{"description":"<b> & ü"}`)}}}
	c := inMemory(f)
	ctx := t.Context()

	if s, err := c.Status(ctx); err != nil || s.Version != "test" {
		t.Errorf("Status = %+v, %v", s, err)
	}
	if err := c.Shutdown(ctx); err != nil || !f.stopped {
		t.Errorf("Shutdown = %v, stopped %v", err, f.stopped)
	}
	if s, err := c.Servers(ctx); err != nil || len(s) != 1 || s[0].Name != "a/b" {
		t.Errorf("Servers = %+v, %v", s, err)
	}
	name, command := "x", "npx"
	if s, err := c.AddServer(ctx, client.ServerChange{Name: &name, Command: &command}); err != nil || s.Name != "x" || *f.change.Command != "npx" {
		t.Errorf("AddServer = %+v, %v", s, err)
	}
	if s, err := c.UpdateServer(ctx, "a/b c?d", client.ServerChange{Command: &command}); err != nil || s.Name != "a/b c?d" || f.change.Name != nil {
		t.Errorf("UpdateServer = %+v, %v", s, err)
	}
	if err := errors.Join(c.RemoveServer(ctx, "a"), c.RestartServer(ctx, "a")); err != nil {
		t.Error(err)
	}
	if l, err := c.Logs(ctx, "a", 200); err != nil || len(l) != 2 || l[1] != "OK" {
		t.Errorf("Logs = %q, %v", l, err)
	}
	if s, err := c.Server(ctx, "a/b"); err != nil || s.Name != "a/b" {
		t.Errorf("Server = %+v, %v", s, err)
	}
	if p, err := c.Catalog(ctx, client.ToolFilter{Server: "s", Text: "a&b", Access: "read", Offset: 7}); err != nil || p.Total != 100 || p.Offset != 7 || p.Tools[0] != (client.ToolRow{ID: "s:a&b", Access: "read"}) {
		t.Errorf("Catalog = %+v, %v", p, err)
	}
	if one, err := c.Tool(ctx, "a:b/c d"); err != nil || one.ID != "a:b/c d" {
		t.Errorf("Tool = %+v, %v", one, err)
	}
	if p, err := c.Page(ctx, "a"); err != nil || p.Server != "a" {
		t.Errorf("Page = %+v, %v", p, err)
	}
	if v, err := c.Stats(ctx); err != nil || v.Tools != 7 {
		t.Errorf("Stats = %+v, %v", v, err)
	}
	if v, err := c.Config(ctx); err != nil || v.Hash != "h" {
		t.Errorf("Config = %+v, %v", v, err)
	}
	if v, err := c.CheckConfig(ctx, "{}"); err != nil || !v.OK {
		t.Errorf("CheckConfig = %+v, %v", v, err)
	}
	if v, err := c.WriteConfig(ctx, "{<", "h2"); err != nil || v.Text != "{<" || v.Hash != "h2" {
		t.Errorf("WriteConfig = %+v, %v", v, err)
	}
	if v, err := c.PatchConfig(ctx, client.ConfigPatch{Set: map[string]json.RawMessage{"top_k": json.RawMessage("7")}}); err != nil || v.Text != "7" {
		t.Errorf("PatchConfig = %+v, %v", v, err)
	}
	if e, err := c.Expect(ctx, "a&b", "s", "x:y"); err != nil || e.ID != "x:y" || e.Reason != "s:a&b" {
		t.Errorf("Expect = %+v, %v", e, err)
	}
	if h, err := c.Search(ctx, "a&b", 9, "s"); err != nil || len(h) != 1 || h[0].ID != "s:a&b" || h[0].Score != 9 {
		t.Errorf("Search = %+v, %v", h, err)
	}
	if tools, err := c.ListTools(ctx, "a", client.ListOptions{}); err != nil || len(tools) != 1 || string(tools[0].Definition) != `{"description":"<b> & ü"}` {
		t.Errorf("ListTools = %+v, %v", tools, err)
	}
	if w, err := c.Waiting(ctx); err != nil || w == nil {
		t.Errorf("Waiting = %v, %v", w, err)
	}
	if p, err := c.Inspect(ctx, "a", client.ListOptions{}); err != nil || p.Server != "a" || len(p.Tools) != 1 {
		t.Errorf("Inspect = %+v, %v", p, err)
	}
	if err := c.ApproveItem(ctx, "a", client.ApproveRequest{Tool: "t", Kind: "prompt", Hash: "h2"}); err != nil || f.approved != "a:prompt/t h2" {
		t.Errorf("ApproveItem: %v, %q", err, f.approved)
	}
	if err := c.Block(ctx, "a", client.BlockRequest{Tool: "t", Blocked: true}); err != nil || f.approved != "block a:t true" {
		t.Errorf("Block: %v, %q", err, f.approved)
	}
	if list, err := c.Audit(ctx, client.AuditFilter{Server: "a", After: 6}); err != nil || len(list) != 1 || list[0].Server != "a" || list[0].Seq != 7 {
		t.Errorf("Audit: %v, %v", list, err)
	}
	if list, err := c.History(ctx, "a", 7); err != nil || len(list) != 1 || list[0].Server != "a" || list[0].Tool != "7" {
		t.Errorf("History: %v, %v", list, err)
	}
	if _, err := c.Approve(ctx, "a", "h1"); err != nil || f.approved != "a h1" {
		t.Errorf("Approve = %v, approved %q", err, f.approved)
	}
	if ix, err := c.Index(ctx); err != nil || ix.Tools != 7 {
		t.Errorf("Index = %+v, %v", ix, err)
	}
	if m, err := c.Models(ctx); err != nil || len(m) != 1 || !m[0].Bundled {
		t.Errorf("Models = %+v, %v", m, err)
	}
	if m, err := c.UseModel(ctx, "mini"); err != nil || m.Name != "mini" || !m.Chosen {
		t.Errorf("UseModel = %+v, %v", m, err)
	}
	if err := c.RemoveModel(ctx, "mini"); err != nil || f.removed != "mini" {
		t.Errorf("RemoveModel = %v, removed %q", err, f.removed)
	}
	if list, err := c.Secrets(ctx); err != nil || len(list.Secrets) != 1 || list.Secrets[0].Name != "k" {
		t.Errorf("Secrets = %+v, %v", list, err)
	}
	if change, err := c.SetSecret(ctx, "a/b", "v"); err != nil || f.removed != "a/b=v" || len(change.Restarted) != 1 {
		t.Errorf("SetSecret = %+v, %v, stored %q", change, err, f.removed)
	}
	if change, err := c.DeleteSecret(ctx, "a/b"); err != nil || f.removed != "a/b" || change.Name != "a/b" {
		t.Errorf("DeleteSecret = %+v, %v", change, err)
	}
	if change, err := c.SecretChanged(ctx, "a/b"); err != nil || len(change.Restarted) != 1 {
		t.Errorf("SecretChanged = %+v, %v", change, err)
	}
	var seen []int
	ix, err := c.Rebuild(ctx, func(done, total int) { seen = append(seen, done, total) })
	if err != nil || ix.Tools != 3 || len(seen) != 6 {
		t.Errorf("Rebuild = %+v, %v; progress %v", ix, err, seen)
	}
}

func TestClient_CallTool_KeepsTheBytes(t *testing.T) {
	t.Parallel()
	want := `{"content":[{"type":"x-new","n":1152921504606846976}],  "isError":false,"a":"<&>"}`
	got, err := inMemory(&fake{result: json.RawMessage(want)}).CallTool(t.Context(), "a:b", json.RawMessage(`{}`))
	if err != nil || string(got) != want {
		t.Errorf("CallTool = %s, %v, want %s", got, err, want)
	}
}

func TestClient_ListTools_Traces(t *testing.T) {
	t.Parallel()
	f := &fake{frames: []string{`{"jsonrpc":"2.0","id":1}`, `no JSON`}}
	var frames []string
	tools, err := inMemory(f).ListTools(t.Context(), "a", client.ListOptions{Timeout: time.Second, Frame: func(dir string, frame []byte) {
		frames = append(frames, dir+" "+string(frame))
	}})
	want := `-> {"jsonrpc":"2.0","id":1}|-> "no JSON"`
	if err != nil || len(tools) != 0 || strings.Join(frames, "|") != want {
		t.Errorf("ListTools = %v, %v; frames %q, want %q", tools, err, frames, want)
	}
	f.err = &client.Error{Code: "unavailable", Message: "gone"}
	_, err = inMemory(f).ListTools(t.Context(), "a", client.ListOptions{Frame: func(string, []byte) {}})
	var e *client.Error
	if !errors.As(err, &e) || e.Code != "unavailable" {
		t.Errorf("error after the first line = %v, want the service's", err)
	}
}

func TestClient_ListTools_CancelsTheService(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	f := &fake{held: func(ctx context.Context) { close(entered); <-ctx.Done() }}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := inMemory(f).CallTool(ctx, "a:b", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("CallTool = %v, want cancelled", err)
	}
}

func TestErrors_MapToStatusAndBack(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{
		"invalid": 400, "held": 403, "forbidden": 403, "not_found": 404, "conflict": 409, "config": 422, "unavailable": 503, "internal": 500, "unheard": 500,
	} {
		f := &fake{err: &client.Error{Code: code, Message: "m", Hint: "h"}}
		a := New(Options{Service: f, MCP: echoMCP})
		for _, r := range routes {
			if r.answersItself() {
				continue
			}
			w := httptest.NewRecorder()
			a.Handler(Local).ServeHTTP(w, visit{}.request(r))
			if w.Code != status {
				t.Errorf("%s: %s %s = %d, want %d", code, r.method, r.pattern, w.Code, status)
			}
		}
		_, err := inMemory(f).Index(t.Context())
		var e *client.Error
		if !errors.As(err, &e) || *e != (client.Error{Code: code, Message: "m", Hint: "h"}) {
			t.Errorf("%s came back as %#v", code, err)
		}
	}
}

func TestErrors_UnexpectedOnesStayInTheLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	a := New(Options{Service: &fake{err: errSecret}, MCP: echoMCP, Log: zap.New(core)})
	for _, r := range routes {
		if r.answersItself() {
			continue
		}
		w := httptest.NewRecorder()
		a.Handler(Local).ServeHTTP(w, visit{}.request(r))
		var e client.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 500 || e.Code != "internal" || strings.Contains(w.Body.String(), "ada") {
			t.Errorf("%s %s = %d %s", r.method, r.pattern, w.Code, w.Body)
		}
		entries := logs.TakeAll()
		if len(entries) != 1 || !strings.Contains(e.Message, entries[0].ContextMap()["request"].(string)) {
			t.Errorf("%s %s: log %v, answer %q", r.method, r.pattern, entries, e.Message)
		}
	}
}

func TestBodies_AreStrict(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP}).Handler(Local)
	for _, r := range routes {
		if r.access != person || r.method != "POST" && r.method != "PATCH" && r.method != "PUT" || strings.HasSuffix(r.pattern, "restart") || strings.HasSuffix(r.pattern, "rebuild") {
			continue
		}
		for _, body := range []string{"", "{", `[]`, `{"no_such_field":1}`, `{} {}`, `"x"`} {
			req := visit{}.request(r)
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s %s with %q = %d, want 400", r.method, r.pattern, body, w.Code)
			}
		}
	}
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		waiting []string
		require bool
		key     string
		code    int
		body    string
	}{
		{"ready", nil, false, "", 200, `{"ready":true}`},
		{"starting", []string{"a", "b"}, false, "", 503, `{"ready":false,"waiting":["a","b"]}`},
		{"names need the key", []string{"a"}, true, "", 503, `{"ready":false}`},
		{"names with the key", []string{"a"}, true, testKey, 503, `{"ready":false,"waiting":["a"]}`},
	} {
		a := New(Options{Service: &fake{waiting: c.waiting}, MCP: echoMCP, Key: testKey, RequireKey: func() bool { return c.require }})
		req := httptest.NewRequest("GET", "http://localhost/readyz", nil)
		req.Header.Set("X-API-Key", c.key)
		w := httptest.NewRecorder()
		a.Handler(TCP).ServeHTTP(w, req)
		if w.Code != c.code || strings.TrimSpace(w.Body.String()) != c.body {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, w.Body, c.code, c.body)
		}
	}
}
