package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
)

// caller is who a request comes from, as far as it shows.
type caller int

const (
	stranger caller = iota
	browser         // a page that logged in with a one-time link
	owner           // the key, or the local surface
)

// admit lets a request into route r if who sends it may use it, keeps one client
// from taking every worker, and reads the body.
func (a *API) admit(s Surface, r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		v := a.visitorOf(s, req)
		if refused := a.mayUse(r, v, req); refused != nil {
			a.refuse(w, refused)
			return
		}
		if s == TCP && req.Method == http.MethodPost { // streams opened with GET only wait
			from := clientOf(req)
			if !a.inFlight.enter(from) {
				a.refuse(w, &refusal{http.StatusTooManyRequests, client.Error{Code: client.CodeUnavailable, Message: "too many requests of this client are in flight"}})
				return
			}
			defer a.inFlight.leave(from)
		}
		if refused := readBody(w, req, bodyLimit(r)); refused != nil {
			a.refuse(w, refused)
			return
		}
		if r.access != agent {
			ctx := context.WithValue(req.Context(), visitorKey{}, v)
			req = req.WithContext(audit.WithActor(ctx, actorOf(s, v.who)))
		}
		if req.Method == http.MethodHead && r.access != open && r.access != agent {
			return // no answer of ours says anything in its header; a stream would never end
		}
		r.serve(a, w, req)
	}
}

// visitor is the sender of one request; cookie and csrf are of a browser's
// session.
type visitor struct {
	who          caller
	cookie, csrf string
}

type visitorKey struct{}

// visitorOf tells who sent the request. A key that is given decides alone, right
// or wrong.
func (a *API) visitorOf(s Surface, r *http.Request) visitor {
	if s == Local {
		return visitor{who: owner}
	}
	if key, given := givenKey(r); given {
		if sameToken(key, a.opt.Key) {
			return visitor{who: owner}
		}
		return visitor{}
	}
	if !sameOrigin(r) {
		return visitor{}
	}
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if csrf, ok := a.sessions.find(c.Value); ok {
			return visitor{who: browser, cookie: c.Value, csrf: csrf}
		}
	}
	return visitor{}
}

// visitorIn returns what admit found out; not on /mcp.
func visitorIn(r *http.Request) visitor {
	v, _ := r.Context().Value(visitorKey{}).(visitor)
	return v
}

// proves reports whether the request has the CSRF token of its session.
func (v visitor) proves(r *http.Request) bool {
	return sameToken(r.Header.Get("X-CSRF-Token"), v.csrf)
}

// streams are the patterns that a page opens with EventSource, which sends
// cookies but no header.
var streams = []string{"/events", "/api/v1/servers/{name}/logs"}

// mayUse refuses who may not use a route. A browser shows with every request that
// its page is the one that logged in: a cookie alone, which browsers send to
// every port of a host, opens nothing but the streams.
func (a *API) mayUse(to route, v visitor, r *http.Request) *refusal {
	need := to.access
	switch {
	case need == open, need == agent && !a.opt.RequireKey(), v.who == owner:
		return nil
	case need == person && v.who == browser:
		if v.proves(r) || to.method == http.MethodGet && slices.Contains(streams, to.pattern) {
			return nil
		}
		return forbidden("the CSRF token is missing or wrong", "send X-CSRF-Token with the csrf_token that POST /api/v1/session answered")
	}
	return &refusal{http.StatusUnauthorized, client.Error{
		Code: client.CodeForbidden, Message: "the API key is missing or wrong",
		Hint: "send Authorization: Bearer KEY, or X-API-Key; the key is in the file " + client.KeyFile + " of the data directory. A browser gets in with mcpproxy ui",
	}}
}

// actorOf names the surface for the record.
func actorOf(s Surface, who caller) string {
	switch {
	case s == Local:
		return audit.Local
	case who == browser:
		return audit.Browser
	default:
		return audit.Remote
	}
}

// givenKey returns what was sent in the place of the key.
func givenKey(r *http.Request) (key string, given bool) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), true
	}
	key = r.Header.Get("X-API-Key")
	return key, key != ""
}

// clientOf names an MCP session, else a connection.
func clientOf(r *http.Request) string {
	if id := r.Header.Get("Mcp-Session-Id"); id != "" {
		return "session " + id
	}
	return r.RemoteAddr
}

// inFlight counts the requests of each client. The zero value is ready.
type inFlight struct {
	mu sync.Mutex
	by map[string]int
}

func (f *inFlight) enter(who string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[string]int{}
	}
	if f.by[who] >= maxInFlight {
		return false
	}
	f.by[who]++
	return true
}

func (f *inFlight) leave(who string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[who]--; f.by[who] == 0 {
		delete(f.by, who)
	}
}
