package upstream_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/upstream"
	"mcpproxy/upstream/oauth"
	"mcpproxy/upstream/upstreamtest"
)

// tokens is a Login whose refresh adds a "+" to the token.
type tokens struct {
	mu      sync.Mutex
	token   string
	dead    bool // there is no refresh
	err     error
	refused []oauth.Challenge
	wanted  int
}

func (l *tokens) Token(context.Context, string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.token, l.err
}

func (l *tokens) Refused(_ context.Context, _, sent string, c oauth.Challenge) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, c)
	if l.dead || c.MoreRights {
		return false
	}
	if sent == l.token {
		l.token += "+"
	}
	return true
}

func (l *tokens) Wanted(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted++
}

// door lets in whoever has the token it wants.
type door struct {
	http.Handler
	mu      sync.Mutex
	want    string
	rights  bool     // 403 instead of 401, for calls only
	methods []string // of requests that came in without it
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	good := r.Header.Get("Authorization") == "Bearer "+d.want
	status := http.StatusUnauthorized
	if d.rights {
		status = http.StatusForbidden
	}
	if !good {
		d.methods = append(d.methods, r.Method)
	}
	d.mu.Unlock()
	if good {
		d.Handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="admin"`)
	w.WriteHeader(status)
}

func (d *door) lock(token string, rights bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want, d.rights = token, rights
}

func loginPool(t *testing.T, h http.Handler, l upstream.Login, s upstream.Spec) *upstream.Pool {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	p := upstream.NewPool(upstream.Options{Dial: upstream.DialEnv{Login: l}})
	t.Cleanup(func() { _ = p.Close() })
	s.Name, s.URL = "a", web.URL+s.URL
	if s.Transport == "" {
		s.Transport = upstream.HTTP
	}
	apply(t, p, s)
	return p
}

func TestLogin_RefusedRequestIsSentOnceMore(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
	d := &door{Handler: srv.Handler(), want: "x"}
	l := &tokens{token: "x"}
	p := loginPool(t, d, l, upstream.Spec{})
	awaitState(t, p, "a", upstream.Ready)
	d.lock("x+", false)
	if _, err := call(t, p, "a", "t0"); err != nil {
		t.Errorf("Call = %v", err)
	}
	if _, _, calls := srv.Counts(); calls != 1 {
		t.Errorf("calls = %d, want 1", calls)
	}
	d.lock("never", false)
	if _, err := call(t, p, "a", "t0"); !errors.Is(err, upstream.ErrLogin) || !strings.Contains(err.Error(), "mcpproxy auth login a") {
		t.Errorf("Call = %v, want ErrLogin and the way out", err)
	}
	awaitState(t, p, "a", upstream.NeedsLogin)
	if _, err := call(t, p, "a", "t0"); !errors.Is(err, upstream.ErrUnavailable) || l.wanted < 2 {
		t.Errorf("Call = %v; wanted %d times", err, l.wanted)
	}
	if _, _, calls := srv.Counts(); calls != 1 {
		t.Errorf("calls = %d, want 1", calls)
	}
}

// A call that lacks rights ends alone: the server stays ready for others.
func TestLogin_LackOfRightsIsOfOneCall(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
	d := &door{Handler: srv.Handler(), want: "x"}
	l := &tokens{token: "x"}
	p := loginPool(t, d, l, upstream.Spec{})
	awaitState(t, p, "a", upstream.Ready)
	d.lock("y", true)
	_, err := call(t, p, "a", "t0")
	var e *upstream.LoginError
	if !errors.Is(err, upstream.ErrRights) || errors.Is(err, upstream.ErrLost) || !errors.As(err, &e) || e.Challenge.Scope != "admin" {
		t.Errorf("Call = %v, want ErrRights with the scope", err)
	}
	d.lock("x", false)
	if _, err := call(t, p, "a", "t0"); err != nil || status(t, p, "a").State != upstream.Ready {
		t.Errorf("the next call: %v", err)
	}
	if l.wanted != 1 {
		t.Errorf("wanted %d times", l.wanted)
	}
}

func TestLogin_SessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	d := &door{Handler: srv.Handler(), want: "x"}
	p := loginPool(t, d, &tokens{token: "x"}, upstream.Spec{})
	awaitState(t, p, "a", upstream.Ready)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.methods) > 0 {
		t.Errorf("without a token came %q", d.methods)
	}
}

// Credentials of the configuration are not replaced.
func TestLogin_LeavesConfiguredCredentialsAlone(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	d := &door{Handler: srv.Handler(), want: "mine"}
	l := &tokens{token: "x", dead: true}
	p := loginPool(t, d, l, upstream.Spec{Headers: map[string]string{"authorization": "Bearer mine"}})
	awaitState(t, p, "a", upstream.Ready)
	if len(l.refused) > 0 {
		t.Errorf("refused %v", l.refused)
	}
}

// The token of a server does not follow a redirect to another host.
func TestLogin_TokenStaysAtItsServer(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Authorization") }))
	defer other.Close()
	p := loginPool(t, http.RedirectHandler(other.URL, http.StatusTemporaryRedirect), &tokens{token: "x"}, upstream.Spec{})
	await(t, p, "a", func(s upstream.Status) bool { return s.Error != "" })
	select {
	case got := <-seen:
		t.Errorf("the other server was contacted with %q", got)
	default:
	}
}

// While a refresh fails calls end with the cause, unsent, and go on afterwards.
func TestLogin_NoTokenAtTheMoment(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
	l := &tokens{}
	p := loginPool(t, srv.Handler(), l, upstream.Spec{})
	awaitState(t, p, "a", upstream.Ready)
	l.mu.Lock()
	l.err = errors.New("the token endpoint answered 500")
	l.mu.Unlock()
	_, err := call(t, p, "a", "t0")
	if !errors.Is(err, upstream.ErrNotNow) || errors.Is(err, upstream.ErrLost) || !strings.Contains(err.Error(), "token endpoint answered 500") {
		t.Errorf("Call = %v, want ErrNotNow and the cause", err)
	}
	l.mu.Lock()
	l.err = nil
	l.mu.Unlock()
	if _, err := call(t, p, "a", "t0"); err != nil {
		t.Errorf("the next call: %v", err)
	}
	if _, _, calls := srv.Counts(); calls != 1 {
		t.Errorf("calls = %d, want 1", calls)
	}
}

// The old transport carries the token on its stream and on its messages.
func TestLogin_SSE(t *testing.T) {
	t.Parallel()
	srv, err := upstreamtest.MCPGo(upstreamtest.Tools("t", 1)...)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{Handler: server.NewSSEServer(srv), want: "x+"}
	l := &tokens{token: "x"}
	p := loginPool(t, d, l, upstream.Spec{Transport: upstream.SSE, URL: "/sse"})
	awaitState(t, p, "a", upstream.Ready)
	d.lock("x++", false)
	if _, err := call(t, p, "a", "t0"); err != nil || len(l.refused) != 2 {
		t.Errorf("Call = %v after %d refusals", err, len(l.refused))
	}
}
