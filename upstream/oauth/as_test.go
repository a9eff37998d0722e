package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// world is an authorization server and an MCP server that it protects, on one
// origin, each step of which a test can bend. It is strict where it is not bent.
type world struct {
	t   *testing.T
	srv *httptest.Server

	challenge string                                      // WWW-Authenticate; "" has resource_metadata and no scope
	prm       func(m map[string]any)                      // bends the resource metadata
	meta      func(m map[string]any)                      // bends the server metadata
	authorize func(q url.Values) url.Values               // bends the answer by way of the browser
	redirect  func(to string) string                      // bends where the browser is sent
	token     func(form url.Values, m map[string]any) int // bends the token answer; a status that is not 0 is sent
	routes    map[string]http.HandlerFunc                 // replaces whole paths
	life      int                                         // of tokens in seconds; 0: 3600

	mu        sync.Mutex
	clients   map[string][]string // id -> redirect URIs
	codes     map[string]url.Values
	refreshes map[string]bool // valid refresh tokens
	access    map[string]bool
	requests  []string // METHOD path
	forms     []url.Values
	lastAuth  url.Values

	refreshed atomic.Int32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clients: map[string][]string{}, codes: map[string]url.Values{}, refreshes: map[string]bool{}, access: map[string]bool{}, routes: map[string]http.HandlerFunc{}}
	w.srv = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.srv.Close)
	return w
}

func (w *world) url() string { return w.srv.URL + "/mcp" }

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.requests = append(w.requests, r.Method+" "+r.URL.Path)
	h := w.routes[r.URL.Path]
	w.mu.Unlock()
	if h != nil {
		h(rw, r)
		return
	}
	switch r.URL.Path {
	case "/mcp":
		w.serveMCP(rw, r)
	case "/.well-known/oauth-protected-resource/mcp":
		w.json(rw, 200, map[string]any{"resource": w.url(), "authorization_servers": []string{w.srv.URL}, "scopes_supported": []string{"read", "write"}}, w.prm)
	case "/.well-known/oauth-authorization-server":
		w.json(rw, 200, map[string]any{"issuer": w.srv.URL, "authorization_endpoint": w.srv.URL + "/authorize", "token_endpoint": w.srv.URL + "/token",
			"registration_endpoint": w.srv.URL + "/register", "revocation_endpoint": w.srv.URL + "/revoke",
			"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
			"authorization_response_iss_parameter_supported": true}, w.meta)
	case "/register":
		w.serveRegister(rw, r)
	case "/authorize":
		w.serveAuthorize(rw, r)
	case "/token":
		w.serveToken(rw, r)
	case "/revoke":
		w.serveRevoke(r)
	default:
		http.NotFound(rw, r)
	}
}

func (w *world) json(rw http.ResponseWriter, status int, m map[string]any, bend func(map[string]any)) {
	if bend != nil {
		bend(m)
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(m)
}

func (w *world) serveMCP(rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.mu.Lock()
	ok := w.access[token]
	w.mu.Unlock()
	if ok {
		w.json(rw, 200, map[string]any{"ok": true}, nil)
		return
	}
	c := w.challenge
	if c == "" {
		c = `Bearer resource_metadata="` + w.srv.URL + `/.well-known/oauth-protected-resource/mcp"`
	}
	rw.Header().Set("WWW-Authenticate", c)
	rw.WriteHeader(http.StatusUnauthorized)
}

func (w *world) serveRegister(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		Redirects []string `json:"redirect_uris"`
		Scope     *string  `json:"scope"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	if body.Scope != nil && *body.Scope == "" {
		w.json(rw, 400, map[string]any{"error": "invalid_client_metadata"}, nil)
		return
	}
	id := "client-" + rand.Text()[:6]
	w.mu.Lock()
	w.clients[id] = body.Redirects
	w.mu.Unlock()
	w.json(rw, 201, map[string]any{"client_id": id, "redirect_uris": body.Redirects, "token_endpoint_auth_method": "none"}, nil)
}

func (w *world) serveAuthorize(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.mu.Lock()
	redirects, known := w.clients[q.Get("client_id")]
	w.mu.Unlock()
	if !known {
		w.json(rw, 400, map[string]any{"error": "invalid_client"}, nil)
		return
	}
	if len(redirects) != 1 || redirects[0] != q.Get("redirect_uri") || q.Get("resource") != w.url() {
		http.Error(rw, "bad request", 400)
		return
	}
	code := rand.Text()
	w.mu.Lock()
	w.codes[code], w.lastAuth = q, q
	w.mu.Unlock()
	out := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {w.srv.URL}}
	if w.authorize != nil {
		out = w.authorize(out)
	}
	to := q.Get("redirect_uri") + "?" + out.Encode()
	if w.redirect != nil {
		to = w.redirect(to)
	}
	http.Redirect(rw, r, to, http.StatusFound)
}

func (w *world) serveToken(rw http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.mu.Lock()
	w.forms = append(w.forms, r.PostForm)
	w.mu.Unlock()
	fault := w.checkToken(r.PostForm)
	life := w.life
	if life == 0 {
		life = 3600
	}
	m := map[string]any{"access_token": "at-" + rand.Text(), "token_type": "Bearer", "expires_in": life, "refresh_token": "rt-" + rand.Text()}
	status := 200
	if fault != "" {
		status, m = 400, map[string]any{"error": fault, "error_description": "CANARY-DESCRIPTION"}
	}
	if w.token != nil {
		if s := w.token(r.PostForm, m); s != 0 {
			status = s
		}
	}
	w.mu.Lock()
	if a, ok := m["access_token"].(string); ok && status == 200 {
		w.access = map[string]bool{a: true} // the old one is void
		if rt, ok := m["refresh_token"].(string); ok {
			w.refreshes[rt] = true
		}
	}
	w.mu.Unlock()
	w.json(rw, status, m, nil)
}

// checkToken returns the error code of a token request, "" if it is good. Codes
// and refresh tokens are good for one use.
func (w *world) checkToken(form url.Values) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.clients[form.Get("client_id")]; !known {
		return "invalid_client"
	}
	switch form.Get("grant_type") {
	case "refresh_token":
		w.refreshed.Add(1)
		if !w.refreshes[form.Get("refresh_token")] || form.Get("resource") != w.url() {
			return "invalid_grant"
		}
		delete(w.refreshes, form.Get("refresh_token"))
		return ""
	case "authorization_code":
		q, ok := w.codes[form.Get("code")]
		delete(w.codes, form.Get("code"))
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if !ok || form.Get("redirect_uri") != q.Get("redirect_uri") || q.Get("code_challenge_method") != "S256" ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || form.Get("resource") != w.url() {
			return "invalid_grant"
		}
		return ""
	default:
		return "unsupported_grant_type"
	}
}

func (w *world) serveRevoke(r *http.Request) {
	_ = r.ParseForm()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.refreshes, r.PostForm.Get("token"))
}

func (w *world) count(request string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.requests {
		if r == request {
			n++
		}
	}
	return n
}

// visit is a browser: it follows redirects and keeps cookies. It returns the
// last page.
func visit(t *testing.T, page string) (body string) {
	t.Helper()
	resp, err := http.Get(page) //nolint:noctx // as a browser does
	if err != nil {
		t.Log("browser:", err)
		return ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

// rig is a Keeper with one server, whose browser a test can watch.
type rig struct {
	*Keeper
	w      *world
	log    *observer.ObservedLogs
	events chan Event
	opened chan string
	pages  chan string
}

func newRig(t *testing.T, w *world, change func(*Options, *Server)) *rig {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	r := &rig{w: w, log: logs, events: make(chan Event, 100), opened: make(chan string, 100), pages: make(chan string, 100)}
	opt := Options{Log: zap.New(core), Event: func(e Event) { r.events <- e }, Timing: Timing{Login: 20 * time.Second}}
	opt.Open = func(u string) error {
		r.opened <- u
		go func() {
			body := visit(t, u)
			r.pages <- body
		}()
		return nil
	}
	s := Server{Name: "srv", URL: w.url()}
	if change != nil {
		change(&opt, &s)
	}
	r.Keeper = New(t.Context(), opt)
	t.Cleanup(r.Close)
	r.Apply([]Server{s})
	return r
}

// call sends one request as the pool does: with the token, and once more if the
// Keeper has another one.
func (r *rig) call(ctx context.Context) (status int, err error) {
	for last := false; ; last = true {
		token, err := r.Token(ctx, "srv")
		if err != nil {
			return 0, err
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, r.w.url(), strings.NewReader("{}"))
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		c := ParseChallenge(resp.Header)
		c.MoreRights = c.MoreRights && resp.StatusCode == http.StatusForbidden
		if resp.StatusCode != http.StatusUnauthorized && !c.MoreRights || !r.Refused(ctx, "srv", token, c) || last {
			return resp.StatusCode, nil
		}
	}
}

func (r *rig) mustLogin(t *testing.T) {
	t.Helper()
	if err := r.Login(t.Context(), "srv", false, nil); err != nil {
		t.Fatal("login:", err)
	}
	if status, err := r.call(t.Context()); status != 200 || err != nil {
		t.Fatalf("call after login = %d, %v", status, err)
	}
}

// quiet fails if a log line or event holds a token, a code or foreign text.
func (r *rig) quiet(t *testing.T) {
	t.Helper()
	r.w.mu.Lock()
	secrets := []string{"CANARY"}
	for m := range maps.Keys(r.w.access) {
		secrets = append(secrets, m)
	}
	for _, f := range r.w.forms {
		for _, k := range []string{"code", "code_verifier", "refresh_token"} {
			if f.Get(k) != "" {
				secrets = append(secrets, f.Get(k))
			}
		}
	}
	r.w.mu.Unlock()
	for _, e := range r.log.All() {
		line := fmt.Sprint(e.Message, e.ContextMap())
		for _, s := range secrets {
			if strings.Contains(line, s) {
				t.Errorf("log line holds %q: %s", s, line)
			}
		}
		if e.LoggerName != "oauth" {
			t.Errorf("log line without the word oauth: %s", line)
		}
	}
}
