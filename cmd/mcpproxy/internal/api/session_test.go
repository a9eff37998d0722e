package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/client"
)

// page is a browser that follows the rules: it sends its cookies and, where it
// has one, its CSRF token.
type page struct {
	api     *API
	host    string
	cookies map[string]*http.Cookie // by path
	csrf    string
}

func newPage(a *API) *page {
	return &page{api: a, host: "localhost:8080", cookies: map[string]*http.Cookie{}}
}

// send returns the answer to a request that the caller may have changed.
func (p *page) send(req *http.Request) *httptest.ResponseRecorder {
	req.Host = p.host
	for path, c := range p.cookies {
		if strings.HasPrefix(req.URL.Path, path) {
			req.AddCookie(c)
		}
	}
	if p.csrf != "" && req.Header.Get("X-CSRF-Token") == "" {
		req.Header.Set("X-CSRF-Token", p.csrf)
	}
	w := httptest.NewRecorder()
	p.api.Handler(TCP).ServeHTTP(w, req)
	for _, c := range w.Result().Cookies() {
		p.cookies[c.Path] = c
		if c.MaxAge < 0 {
			delete(p.cookies, c.Path)
		}
	}
	return w
}

func (p *page) post(path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	return p.send(req)
}

// login uses the token and returns the status.
func (p *page) login(t *testing.T, token string) int {
	t.Helper()
	w := p.post("/api/v1/session", `{"once":"`+token+`"}`)
	var s client.Session
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	p.csrf = s.CSRF
	return w.Code
}

func (p *page) loggedIn(t *testing.T) bool {
	t.Helper()
	w := p.send(httptest.NewRequest("GET", "/api/v1/session", nil))
	var s client.Session
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if s.CSRF != "" {
		t.Error("the CSRF token is told again")
	}
	return s.LoggedIn
}

// sessionAPI is an API whose sessions go by the clock that it returns.
func sessionAPI() (*API, *time.Time) {
	a := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey, Endpoint: testEndpoint})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a.sessions.now = func() time.Time { return now }
	return a, &now
}

// once returns a token as the command line gets it.
func once(t *testing.T, a *API) string {
	t.Helper()
	l, err := client.InProcess(a.Handler(Local)).Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(l.URL)
	if err != nil || u.Path != "/ui/" || u.RawQuery != "" {
		t.Fatalf("link %q: %v", l.URL, err)
	}
	token, ok := strings.CutPrefix(u.Fragment, "once=")
	if !ok || len(token) != 43 {
		t.Fatalf("fragment of %q has no token of 256 bit", l.URL)
	}
	return token
}

func TestSession_LinkLogsInOnce(t *testing.T) {
	t.Parallel()
	a, _ := sessionAPI()
	token := once(t, a)
	p := newPage(a)
	if p.loggedIn(t) {
		t.Error("logged in before the login")
	}
	if status := p.login(t, token); status != http.StatusOK || !p.loggedIn(t) {
		t.Errorf("login = %d, logged in %v", status, p.loggedIn(t))
	}
	if len(p.cookies) != 2 || p.cookies["/api/v1"] == nil || p.cookies["/events"] == nil {
		t.Errorf("cookies of %v, want those of /api/v1 and /events alone", p.cookies)
	}
	for _, c := range p.cookies {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" || c.Name != "mcpproxy_session_8080" || len(c.Value) != 43 {
			t.Errorf("cookie %v", c)
		}
	}
	second := newPage(a)
	if status := second.login(t, token); status != http.StatusUnauthorized || second.loggedIn(t) {
		t.Errorf("second login with the link = %d, want 401", status)
	}
	if !p.loggedIn(t) {
		t.Error("a refused login ended the session")
	}
}

func TestSession_RefusesOtherTokens(t *testing.T) {
	t.Parallel()
	a, _ := sessionAPI()
	token := once(t, a)
	p := newPage(a)
	for _, bad := range []string{"", "x", token[:42], token + "A", strings.ToUpper(token), testKey} {
		if status := p.login(t, bad); status != http.StatusUnauthorized {
			t.Errorf("login with %q = %d, want 401", bad, status)
		}
	}
}

func TestSession_Expires(t *testing.T) {
	t.Parallel()
	a, now := sessionAPI()
	token := once(t, a)
	*now = now.Add(linkLife)
	p := newPage(a)
	if status := p.login(t, token); status != http.StatusUnauthorized {
		t.Errorf("login after %v = %d, want 401", linkLife, status)
	}
	p.login(t, once(t, a))
	for range 3 { // a use prolongs it
		*now = now.Add(sessionIdle - time.Second)
		if !p.loggedIn(t) {
			t.Fatal("a session in use expired")
		}
	}
	*now = now.Add(sessionIdle)
	if p.loggedIn(t) {
		t.Errorf("logged in after %v without use", sessionIdle)
	}
}

func TestSession_LogoutAndReplay(t *testing.T) {
	t.Parallel()
	a, _ := sessionAPI()
	p := newPage(a)
	p.login(t, once(t, a))
	stolen := *p.cookies["/api/v1"]
	if w := p.send(httptest.NewRequest("DELETE", "/api/v1/session", nil)); w.Code != http.StatusOK || len(p.cookies) != 0 {
		t.Errorf("logout = %d, cookies %v", w.Code, p.cookies)
	}
	thief := newPage(a)
	thief.cookies["/api/v1"] = &stolen
	if thief.loggedIn(t) {
		t.Error("the cookie works after the logout")
	}
}

// A cookie that somebody planted is neither adopted nor kept.
func TestSession_Fixation(t *testing.T) {
	t.Parallel()
	a, _ := sessionAPI()
	planted := strings.Repeat("A", 43)
	p := newPage(a)
	p.cookies["/api/v1"] = &http.Cookie{Name: "mcpproxy_session_8080", Value: planted, Path: "/api/v1"}
	p.login(t, once(t, a))
	if p.cookies["/api/v1"].Value == planted {
		t.Error("the planted value was adopted")
	}
	first := *p.cookies["/api/v1"]
	p.login(t, once(t, a))
	old := newPage(a)
	old.cookies["/api/v1"] = &first
	if !p.loggedIn(t) || old.loggedIn(t) {
		t.Error("a second login of the browser did not replace its session")
	}
}

func TestSession_Bounded(t *testing.T) {
	t.Parallel()
	a, now := sessionAPI()
	first := once(t, a)
	for range 3 * maxLinks {
		*now = now.Add(time.Second)
		once(t, a)
	}
	if len(a.sessions.links) > maxLinks || newPage(a).login(t, first) != http.StatusUnauthorized {
		t.Errorf("%d links wait, want at most %d, the newest", len(a.sessions.links), maxLinks)
	}
	oldest := newPage(a)
	oldest.login(t, once(t, a))
	for range maxSessions {
		*now = now.Add(time.Second)
		newPage(a).login(t, once(t, a))
	}
	if len(a.sessions.browsers) != maxSessions || oldest.loggedIn(t) {
		t.Errorf("%d sessions, want the newest %d", len(a.sessions.browsers), maxSessions)
	}
}

// What a browser with a session may do on every route, and what any other page
// in it cannot make it do.
func TestSession_OnAllRoutes(t *testing.T) {
	t.Parallel()
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, c := range []struct {
		name         string
		change       func(*http.Request)
		read, write  int // 0: as for the owner
		noCookie     bool
		noCSRF       bool
		differentApp bool // another instance's session
	}{
		{name: "page", change: with("Sec-Fetch-Site", "same-origin")},
		{name: "page that names its origin", change: with("Origin", "http://localhost:8080")},
		{name: "address bar", change: with("Sec-Fetch-Site", "none")},
		{name: "old browser", change: func(*http.Request) {}},
		{name: "no cookie", change: func(*http.Request) {}, noCookie: true, read: 401, write: 401},
		{name: "no CSRF token", change: func(*http.Request) {}, noCSRF: true, read: 403, write: 403},
		{name: "wrong CSRF token", change: with("X-CSRF-Token", strings.Repeat("B", 43)), read: 403, write: 403},
		{name: "other port of this machine", change: with("Origin", "http://localhost:3000"), read: 401, write: 401},
		{name: "other name of this machine", change: with("Origin", "http://127.0.0.1:8080"), read: 401, write: 401},
		{name: "same site", change: with("Sec-Fetch-Site", "same-site"), read: 401, write: 401},
		{name: "cross site", change: with("Sec-Fetch-Site", "cross-site"), read: 401, write: 401},
		{name: "foreign origin", change: with("Origin", "https://evil.test"), read: 403, write: 403},
		{name: "wrong key beside the cookie", change: with("X-API-Key", "wrong"), read: 401, write: 401},
		{name: "right key beside the cookie", change: with("X-API-Key", testKey)},
		{name: "another instance's session", change: func(*http.Request) {}, differentApp: true, read: 401, write: 401},
	} {
		for _, r := range routes {
			a, _ := sessionAPI()
			p := newPage(a)
			p.login(t, once(t, a))
			if c.differentApp {
				p.api, _ = sessionAPI()
			}
			if c.noCookie {
				clear(p.cookies)
			}
			if c.noCSRF {
				p.csrf = ""
			}
			req := visit{}.request(r)
			req.Header.Del("X-API-Key")
			c.change(req)
			key := req.Header.Get("X-API-Key") == testKey
			want := c.write
			if r.method == "GET" {
				want = c.read
			}
			if want == 403 && r.method == "GET" && slices.Contains(streams, r.pattern) && c.name != "foreign origin" {
				want = 0 // EventSource sends no header
			}
			guarded := want == 403 && c.name == "foreign origin" // before any route
			switch {
			case guarded:
			case r.access == keyHolder && !key:
				want = http.StatusUnauthorized
			case r.access == open || r.access == agent || want == 0:
				want = r.honest()
			}
			if w := p.send(req); w.Code != want {
				t.Errorf("%s: %s %s = %d, want %d: %s", c.name, r.method, r.pattern, w.Code, want, w.Body)
			}
		}
	}
}

func TestUI_IsStaticAndConfined(t *testing.T) {
	t.Parallel()
	a, _ := sessionAPI()
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", "http://localhost:8080"+path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		a.Handler(TCP).ServeHTTP(w, req)
		return w
	}
	w := get("/ui/")
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(policy, "default-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("/ui/ = %d with %q", w.Code, policy)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", w.Header())
	}
	if again := get("/ui/", "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("with its tag: %d", again.Code)
	}
	if to := get("/ui"); to.Code/100 != 3 || to.Header().Get("Location") != "/ui/" {
		t.Errorf("/ui = %d to %q", to.Code, to.Header().Get("Location"))
	}
	if to := get("/"); to.Header().Get("Location") != "/ui/" {
		t.Errorf("/ leads to %q", to.Header().Get("Location"))
	}
	for _, path := range []string{"/ui/..%2froutes.go", "/ui/%2e%2e/ui.go", "/ui//etc/passwd", "/ui/web/", "/ui/index.html/"} {
		if w := get(path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}
