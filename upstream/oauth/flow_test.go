package oauth

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLogin_FromNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	if status, err := r.call(t.Context()); status != 401 || err != nil {
		t.Fatalf("call = %d, %v, want 401", status, err)
	}
	var prompt Prompt
	if err := r.Login(t.Context(), "srv", false, func(p Prompt) { prompt = p }); err != nil {
		t.Fatal(err)
	}
	if !prompt.Opened || prompt.Host != "127.0.0.1" || !strings.HasPrefix(prompt.URL, w.srv.URL+"/authorize?") {
		t.Errorf("prompt = %+v", prompt)
	}
	if page := <-r.pages; !strings.Contains(page, "You are logged in") {
		t.Errorf("page = %s", page)
	}
	if status, err := r.call(t.Context()); status != 200 || err != nil {
		t.Errorf("call = %d, %v, want 200", status, err)
	}
	if e := <-r.events; e.What != LoggedIn || e.Server != "srv" {
		t.Errorf("event = %+v", e)
	}
	if got := w.lastAuth.Get("scope"); got != "read write" {
		t.Errorf("scope = %q, want that of the resource metadata", got)
	}
	st := r.Status()[0]
	if st.State != Valid || st.Issuer != w.srv.URL || !st.Renewable || time.Until(st.Expires) < 55*time.Minute {
		t.Errorf("status = %+v", st)
	}
	r.quiet(t)
}

func TestLogin_KeepsItsClientAndPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	r.mustLogin(t)
	first := r.Status()[0].Redirect
	if _, err := r.Logout(t.Context(), "srv"); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.call(t.Context()); status != 401 {
		t.Errorf("call after logout = %d, want 401", status)
	}
	if err := r.Login(t.Context(), "srv", true, func(p Prompt) {
		if p.Opened || p.Note == "" {
			t.Errorf("prompt = %+v, want no browser and a note", p)
		}
		go visit(t, p.URL)
	}); err != nil {
		t.Fatal(err)
	}
	if n := w.count("POST /register"); n != 1 {
		t.Errorf("registered %d times, want 1", n)
	}
	if now := r.Status()[0].Redirect; now != first {
		t.Errorf("redirect = %s, want %s", now, first)
	}
	if n := w.count("POST /revoke"); n != 1 {
		t.Errorf("revoked %d times, want 1", n)
	}
}

// A server of MCP 2025-03-26 has no resource metadata, and its authorization
// server at its own root. What the query of its URL holds stays there.
func TestLogin_Legacy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.challenge = "Bearer"
	w.routes["/.well-known/oauth-protected-resource/mcp"] = http.NotFound
	r := newRig(t, w, func(_ *Options, s *Server) { s.URL += "?key=CANARY" })
	_, _ = r.call(t.Context())
	r.mustLogin(t)
	if got := w.lastAuth.Get("resource"); got != w.url() || strings.Contains(w.lastAuth.Encode(), "CANARY") {
		t.Errorf("authorization request %s", w.lastAuth.Encode())
	}
}
