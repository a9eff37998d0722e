package api

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
)

// admit lets a request into route r if its surface or its key allows it, and
// keeps one client from taking every worker.
func (a *API) admit(s Surface, r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if s == TCP && a.needsKey(r.access) && !a.hasKey(req) {
			a.refuse(w, &refusal{http.StatusUnauthorized, client.Error{
				Code: "forbidden", Message: "the API key is missing or wrong",
				Hint: "send Authorization: Bearer KEY, or X-API-Key; the key is in the file " + client.KeyFile + " of the data directory",
			}})
			return
		}
		if s == TCP && req.Method == http.MethodPost { // streams opened with GET only wait
			who := clientOf(req)
			if !a.inFlight.enter(who) {
				a.refuse(w, &refusal{http.StatusTooManyRequests, client.Error{Code: "unavailable", Message: "too many requests of this client are in flight"}})
				return
			}
			defer a.inFlight.leave(who)
		}
		if r.access != agent {
			req = req.WithContext(audit.WithActor(req.Context(), actorOf(s)))
		}
		r.serve(a, w, req)
	}
}

// actorOf names the surface for the record.
func actorOf(s Surface) string {
	if s == Local {
		return audit.Local
	}
	return audit.Remote
}

func (a *API) needsKey(who access) bool {
	return who == person || who == agent && a.opt.RequireKey
}

// hasKey compares in constant time.
func (a *API) hasKey(r *http.Request) bool {
	if a.opt.Key == "" {
		return false
	}
	given := r.Header.Get("X-API-Key")
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(token)
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(a.opt.Key)) == 1
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
