package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

// tab is a page of the instance in a browser, as far as HTTP knows.
type tab struct {
	t    *testing.T
	http http.Client
	base string
	csrf string
}

// openTab follows the link that mcpproxy ui prints.
func openTab(t *testing.T, in *instance) *tab {
	t.Helper()
	stdout, stderr, err := in.command(t, "ui")
	if err != nil {
		t.Fatalf("mcpproxy ui: %v: %s", err, stderr)
	}
	link, err := url.Parse(strings.TrimSpace(stdout))
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, http: http.Client{Jar: jar}, base: "http://" + link.Host}
	var s client.Session
	if code := b.send("POST", "/api/v1/session", client.LoginRequest{Once: strings.TrimPrefix(link.Fragment, "once=")}, &s); code != 200 || !s.LoggedIn {
		t.Fatalf("login = %d %+v", code, s)
	}
	b.csrf = s.CSRF
	return b
}

// send sends in as JSON, decodes the answer into out and returns the status.
func (b *tab) send(method, path string, in, out any) int {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	if in == nil {
		body = nil
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Origin", b.base)
	req.Header.Set("X-CSRF-Token", b.csrf)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && out != nil && resp.StatusCode == 200 {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		b.t.Fatalf("%s %s: %v: %s", method, path, err, data)
	}
	return resp.StatusCode
}

// events opens the stream; the function waits for an event of a kind.
func (b *tab) events() (await func(kind client.EventKind)) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), "GET", b.base+"/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func(kind client.EventKind) {
		b.t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), fmt.Sprintf("%q", kind)) {
				return
			}
		}
		b.t.Fatalf("no event of %s: %v", kind, lines.Err())
	}
}

// The page's way through one real instance and its restart.
func TestServe_BrowserSession(t *testing.T) {
	t.Parallel()
	in := serve(t, map[string]any{"units": map[string]any{"command": "mcpproxy", "args": []string{"example", "units"}, "quarantined": false, "env": map[string]string{"TOKEN": "s3cret"}}})
	b := openTab(t, in)
	await := b.events()
	await(client.EventAll)

	var cfg client.Config
	if code := b.send("PATCH", "/api/v1/config", json.RawMessage(`{"set": {"top_k": 3}}`), &cfg); code != 200 || cfg.Settings.TopK != 3 || strings.Contains(cfg.Text, "s3cret") {
		t.Errorf("PATCH = %d %+v", code, cfg)
	}
	await(client.EventConfig)

	a := newAgent(t, in)
	a.search("convert miles to kilometres")
	a.call("call_tool_read", "units:convert_units", map[string]any{"value": 1, "from": "mile", "to": "km"})
	await(client.EventAudit)
	var stats client.Stats
	b.send("GET", "/api/v1/stats", nil, &stats)
	if stats.Tools == 0 || stats.TokensAll == 0 || stats.SearchesToday != 1 || stats.CallsToday != 1 || len(stats.Servers) != 1 || stats.Servers[0].Name != "units" {
		t.Errorf("stats = %+v", stats)
	}
	var page client.ToolPage
	if b.send("GET", "/api/v1/tools?q=convert&limit=1", nil, &page); page.Total == 0 || len(page.Tools) != 1 {
		t.Errorf("tools = %+v", page)
	}
	if code := b.send("GET", "/metrics", nil, nil); code != http.StatusUnauthorized {
		t.Errorf("metrics for a browser = %d, want 401", code)
	}
	csrf := b.csrf
	b.csrf = "guessed"
	if code := b.send("DELETE", "/api/v1/servers/units", nil, nil); code != http.StatusForbidden {
		t.Errorf("removing a server without the CSRF token = %d, want 403", code)
	}
	b.csrf = csrf

	in.stop(t)
	in.start(t)
	if code := b.send("GET", "/api/v1/stats", nil, nil); code != http.StatusUnauthorized {
		t.Errorf("after a restart the session answers %d, want 401", code)
	}
	b = openTab(t, in)
	if b.send("GET", "/api/v1/stats", nil, &stats); stats.SearchesToday != 1 || stats.CallsToday != 1 {
		t.Errorf("counts after a restart: %+v", stats)
	}
}
