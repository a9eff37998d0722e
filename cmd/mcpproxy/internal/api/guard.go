package api

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"mcpproxy/internal/client"
)

// guard refuses what a web page can make a browser send, before any route sees
// it: a foreign Host (DNS rebinding), a foreign Origin, and a body that is not
// declared as JSON, which a page cannot send without asking. It never answers
// with CORS headers.
func (a *API) guard(s Surface, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		if refused := a.check(s, r); refused != nil {
			a.refuse(w, refused)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refusal is an answer that the guard gives itself.
type refusal struct {
	status int
	body   client.Error
}

func (a *API) refuse(w http.ResponseWriter, r *refusal) {
	a.opt.Log.Debug("request refused: " + r.body.Message)
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="mcpproxy"`)
	}
	if r.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, r.status, r.body)
}

func forbidden(message, hint string) *refusal {
	return &refusal{http.StatusForbidden, client.Error{Code: client.CodeForbidden, Message: message, Hint: hint}}
}

func (a *API) check(s Surface, r *http.Request) *refusal {
	if s == TCP && !a.allowedHost(r.Host) {
		return forbidden("this Host is not allowed", `add it to "trusted_hosts" in the configuration`)
	}
	for _, origin := range r.Header.Values("Origin") {
		if !a.allowedOrigin(origin) {
			return forbidden("this Origin is not allowed", `add its host to "trusted_hosts" in the configuration`)
		}
	}
	if hasBody(r) && !isJSON(r.Header.Values("Content-Type")) {
		return &refusal{http.StatusUnsupportedMediaType, client.Error{Code: client.CodeInvalid, Message: "Content-Type must be application/json"}}
	}
	return nil
}

// hasBody is true for every method that carries one by nature, even if it is
// empty: a form post without content is still a form post.
func hasBody(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return r.ContentLength != 0
}

func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	kind, _, err := mime.ParseMediaType(types[0])
	return err == nil && kind == "application/json"
}

// allowedHost takes the Host header, with or without port.
func (a *API) allowedHost(hostport string) bool {
	host, ok := splitHost(hostport)
	return ok && (isLoopback(host) || a.trusted[canonicalHost(host)])
}

// allowedOrigin takes the Origin header; "null" is nobody's.
func (a *API) allowedOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return a.allowedHost(u.Host)
}

// splitHost takes a port off, if there is one, and the brackets of an IPv6
// address.
func splitHost(hostport string) (host string, ok bool) {
	host = hostport
	if h, port, err := net.SplitHostPort(hostport); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return "", false
		}
		host = h
	} else if inner, bracketed := strings.CutPrefix(hostport, "["); bracketed {
		host, ok = strings.CutSuffix(inner, "]")
		if !ok {
			return "", false
		}
	} else if strings.Contains(hostport, ":") {
		return "", false
	}
	return host, host != ""
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}

func canonicalHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
