package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/secret"
)

// memory is a Vault.
type memory struct {
	mu   sync.Mutex
	m    map[string][]byte
	fail error
}

func (v *memory) Get(name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return nil, v.fail
	}
	if b, ok := v.m[name]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("%w: %s", secret.ErrNotFound, name)
}

func (v *memory) Set(name string, value []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail == nil {
		v.m[name] = append([]byte(nil), value...)
	}
	return v.fail
}

func (v *memory) Delete(name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.m, name)
	return v.fail
}

func kept(v Vault) func(*Options, *Server) { return func(o *Options, _ *Server) { o.Vault = v } }

func TestKeeper_LoginsSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token = func(_ url.Values, m map[string]any) int { // a set of 20 KB
		m["access_token"] = "at-" + strings.Repeat("x", 12<<10) + fmt.Sprint(time.Now().UnixNano())
		m["refresh_token"] = "rt-" + strings.Repeat("y", 8<<10)
		return 0
	}
	v := &memory{m: map[string][]byte{}}
	first := newRig(t, w, kept(v))
	first.mustLogin(t)
	if st := first.Status()[0]; !st.Kept {
		t.Error("not kept")
	}
	first.Close()

	second := newRig(t, w, kept(v))
	if status, err := second.call(t.Context()); status != 200 || err != nil {
		t.Errorf("call after restart = %d, %v", status, err)
	}
	second.aged(2 * time.Hour)
	if status, err := second.call(t.Context()); status != 200 || err != nil || w.refreshed.Load() != 1 {
		t.Errorf("call after expiry = %d, %v with %d refreshes", status, err, w.refreshed.Load())
	}
	second.Close()

	third := newRig(t, w, kept(v)) // has what the refresh brought
	if status, err := third.call(t.Context()); status != 200 || err != nil || len(third.opened) > 0 {
		t.Errorf("call after the second restart = %d, %v", status, err)
	}
	if n := w.count("POST /register"); n != 1 {
		t.Errorf("registered %d times, want 1", n)
	}
}

// A server that takes over a name, by an edit of the configuration, gets nothing
// of its predecessor.
func TestKeeper_LoginsAreBoundToTheURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &memory{m: map[string][]byte{}}
	r := newRig(t, w, kept(v))
	r.mustLogin(t)
	r.Apply([]Server{{Name: "srv", URL: w.srv.URL + "/other"}})
	if token, err := r.Token(t.Context(), "srv"); token != "" || err != nil {
		t.Errorf("token for another URL: %q, %v", token, err)
	}
	r.Apply([]Server{{Name: "srv", URL: w.url()}})
	if token, err := r.Token(t.Context(), "srv"); token == "" || err != nil {
		t.Errorf("token after the edit was undone: %q, %v", token, err)
	}
}

func TestKeeper_WithoutAPlaceToKeepLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &memory{m: map[string][]byte{}, fail: secret.ErrUnavailable}
	r := newRig(t, w, kept(v))
	r.mustLogin(t)
	r.aged(2 * time.Hour)
	if status, err := r.call(t.Context()); status != 200 || err != nil {
		t.Errorf("call after expiry = %d, %v", status, err)
	}
	if st := r.Status()[0]; st.Kept || st.State != Valid {
		t.Errorf("status = %+v", st)
	}
	if n := r.warnings(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	if len(v.m) > 0 {
		t.Error("something was written")
	}
}

// Another authorization server needs a person, who logs out first.
func TestKeeper_IssuerChangeIsHeld(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	v := &memory{m: map[string][]byte{}}
	r := newRig(t, w, kept(v))
	r.mustLogin(t)
	<-r.events
	w.prm = func(m map[string]any) { m["authorization_servers"] = []string{other.srv.URL} }
	err := r.Login(t.Context(), "srv", false, nil)
	if !errors.Is(err, ErrIssuer) || !strings.Contains(err.Error(), other.srv.URL) || !strings.Contains(err.Error(), "mcpproxy auth logout srv") {
		t.Fatalf("login = %v, want ErrIssuer with both names and the way out", err)
	}
	if e := <-r.events; e.What != IssuerChanged {
		t.Errorf("event = %+v", e)
	}
	if len(other.forms) > 0 || len(r.opened) != 1 {
		t.Errorf("the other one was asked: %d token requests, %d tabs", len(other.forms), len(r.opened))
	}
	if status, _ := r.call(t.Context()); status != 200 {
		t.Errorf("call = %d, want the old login to go on", status)
	}
	if _, err := r.Logout(t.Context(), "srv"); err != nil {
		t.Fatal(err)
	}
	err = r.Login(t.Context(), "srv", true, func(p Prompt) {
		if !strings.HasPrefix(p.URL, other.srv.URL) {
			t.Errorf("URL = %s", p.URL)
		}
		go visit(t, strings.Replace(p.URL, url.QueryEscape(w.url()), url.QueryEscape(other.url()), 1)) // it would refuse the resource
	})
	if err != nil && !errors.Is(err, ErrTokens) {
		t.Errorf("login at the new one: %v", err)
	}
}

func TestKeeper_OneTabInFiveMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, func(o *Options, _ *Server) { o.Timing.Login = 100 * time.Millisecond })
	w.redirect = func(string) string { return w.srv.URL + "/elsewhere" } // nobody ever finishes
	_, _ = r.call(t.Context())
	if len(r.opened) > 0 {
		t.Fatal("a 401 alone opens a tab")
	}
	for range 50 {
		r.Wanted("srv")
		_, _ = r.call(t.Context())
	}
	err := r.Login(t.Context(), "srv", false, nil) // joins it
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("login = %v", err)
	}
	var prompt Prompt
	err = r.Login(t.Context(), "srv", false, func(p Prompt) { prompt = p })
	if !errors.Is(err, ErrTimeout) || prompt.Opened || !strings.Contains(prompt.Note, "already") || prompt.URL == "" {
		t.Errorf("second login = %v, prompt %+v, want the address and no tab", err, prompt)
	}
	for range 50 {
		r.Invite("srv")
		r.Wanted("srv")
		_, _ = r.call(t.Context())
	}
	if len(r.opened) != 1 {
		t.Errorf("%d tabs, want 1", len(r.opened))
	}
}

// A tab that nobody finished is the last one by itself: no tabs by night.
func TestKeeper_NoTabAfterOneThatNobodyFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, func(o *Options, _ *Server) { o.Timing.Login, o.Timing.Tab = 50*time.Millisecond, time.Nanosecond })
	w.redirect = func(string) string { return w.srv.URL + "/elsewhere" }
	_, _ = r.call(t.Context())
	r.Wanted("srv")
	if e := <-r.events; e.What != LoginFailed || len(r.opened) != 1 {
		t.Fatalf("event %+v, %d tabs", e, len(r.opened))
	}
	for range 3 {
		_, _ = r.call(t.Context())
		r.Wanted("srv")
		if st := r.Status()[0]; st.State != Needed {
			t.Fatalf("state = %s, want that nothing began", st.State)
		}
	}
	r.Invite("srv")
	_, _ = r.call(t.Context())
	if e := <-r.events; e.What != LoginFailed || len(r.opened) != 2 {
		t.Errorf("after a person did something: event %+v, %d tabs, want the second", e, len(r.opened))
	}
}

// What a person does to a server lets a browser open when it then asks.
func TestKeeper_InvitedLoginOpensByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	r.Invite("srv")
	if status, _ := r.call(t.Context()); status != 401 {
		t.Fatalf("call = %d", status)
	}
	if e := <-r.events; e.What != LoggedIn || len(r.opened) != 1 {
		t.Errorf("event %+v, %d tabs", e, len(r.opened))
	}
}

func TestKeeper_RegistersAnewOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	r.mustLogin(t)
	w.mu.Lock()
	w.clients = map[string][]string{} // the server lost its memory
	w.mu.Unlock()
	if err := r.Login(t.Context(), "srv", true, func(p Prompt) { go visit(t, p.URL) }); err != nil {
		t.Fatal(err)
	}
	if n := w.count("POST /register"); n != 2 {
		t.Errorf("registered %d times, want 2", n)
	}
}

// A client that is forgotten between browser and token endpoint: the browser is
// sent on to a second login page.
func TestKeeper_RegistersAnewWhileTheBrowserWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := true
	w.token = func(_ url.Values, m map[string]any) int {
		if !first {
			return 0
		}
		first = false
		clear(m)
		m["error"] = "invalid_client"
		return 401
	}
	r := newRig(t, w, nil)
	r.mustLogin(t)
	if page := <-r.pages; !strings.Contains(page, "You are logged in") || len(r.opened) != 1 {
		t.Errorf("%d tabs, page = %s", len(r.opened), page)
	}
	if n := w.count("POST /register"); n != 2 {
		t.Errorf("registered %d times, want 2", n)
	}
}

func TestKeeper_Scopes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bend func(w *world)
		set  []string
		want string
	}{
		"configuration": {func(w *world) { w.challenge = `Bearer scope="c"` }, []string{"x", "y"}, "x y"},
		"challenge":     {func(w *world) { w.challenge = `Bearer scope="c d"` }, nil, "c d"},
		"metadata":      {func(*world) {}, nil, "read write"},
		"none":          {func(w *world) { w.prm = func(m map[string]any) { delete(m, "scopes_supported") } }, nil, ""},
		"offline": {func(w *world) {
			w.meta = func(m map[string]any) { m["scopes_supported"] = []string{"read", "offline_access"} }
		}, nil, "read write offline_access"},
		"foreign text": {func(w *world) { w.challenge = `Bearer scope="a\"b c"` }, nil, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.bend(w)
			r := newRig(t, w, func(_ *Options, s *Server) { s.Scopes = c.set })
			_, _ = r.call(t.Context())
			r.mustLogin(t)
			if got := w.lastAuth.Get("scope"); got != c.want {
				t.Errorf("scope = %q, want %q", got, c.want)
			}
		})
	}
}

func TestKeeper_WithoutPKCEWhereConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.meta = func(m map[string]any) { delete(m, "code_challenge_methods_supported") }
	w.token = func(form url.Values, m map[string]any) int {
		if form.Get("code_verifier") != "" {
			t.Error("a verifier was sent")
		}
		if m["error"] == "invalid_grant" { // our server wants one
			clear(m)
			m["access_token"], m["token_type"] = "at", "bearer"
			return 200
		}
		return 0
	}
	r := newRig(t, w, func(_ *Options, s *Server) { s.NoPKCE = true })
	r.mustLogin(t)
	if w.lastAuth.Has("code_challenge") || r.warnings() != 1 {
		t.Errorf("request %v with %d warnings", w.lastAuth, r.warnings())
	}
}

func TestKeeper_CloseEndsALogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, func(o *Options, _ *Server) {
		o.Timing.Login = time.Hour
		o.Open = func(string) error { return nil }
	})
	done := make(chan error, 1)
	go func() { done <- r.Login(t.Context(), "srv", false, func(Prompt) { go r.Close() }) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("login succeeded")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("login goes on")
	}
}

// A call that needs more rights than the login has asks for all of them together,
// and not for ever.
func TestKeeper_StepUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, func(o *Options, _ *Server) { o.Timing.Tab = time.Nanosecond })
	r.mustLogin(t)
	<-r.events
	w.mu.Lock()
	w.routes["/mcp"] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="admin"`)
		rw.WriteHeader(http.StatusForbidden)
	}
	w.mu.Unlock()
	if status, _ := r.call(t.Context()); status != http.StatusForbidden || w.refreshed.Load() > 0 {
		t.Errorf("call = %d with %d refreshes", status, w.refreshed.Load())
	}
	if len(r.opened) != 1 {
		t.Fatal("an answer alone opens a tab")
	}
	r.Wanted("srv")
	if e := <-r.events; e.What != LoggedIn {
		t.Fatalf("event = %+v", e)
	}
	if got := w.lastAuth.Get("scope"); got != "read write admin" {
		t.Errorf("scope = %q, want the old rights and the new", got)
	}
	for range 10 { // it refuses still
		_, _ = r.call(t.Context())
		r.Wanted("srv")
	}
	if len(r.opened) != 2 || len(r.events) > 0 {
		t.Errorf("%d tabs, want 2", len(r.opened))
	}
}
