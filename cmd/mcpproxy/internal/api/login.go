package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"mcpproxy/internal/client"
)

// cookiePaths are the only paths that a browser sends the session's cookie to:
// not to the page's own files, and not to /mcp.
var cookiePaths = []string{"/api/v1", "/events"}

// login turns the token of a one-time link into a session of this browser.
func (a *API) login(w http.ResponseWriter, r *http.Request) {
	var body client.LoginRequest
	if err := read(r, &body); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	before := ""
	if c, err := r.Cookie(cookieName(r)); err == nil {
		before = c.Value
	}
	cookie, csrf, ok := a.sessions.redeem(body.Once, before)
	if !ok {
		a.refuse(w, &refusal{http.StatusUnauthorized, client.Error{
			Code: client.CodeForbidden, Message: "this link was used already, or is older than five minutes", Hint: "get a new one: mcpproxy ui",
		}})
		return
	}
	setCookies(w, r, cookie)
	writeJSON(w, http.StatusOK, client.Session{LoggedIn: true, CSRF: csrf})
}

// session tells a page whether it is logged in: whether it has the cookie and
// the CSRF token that came with it. The token is not told again, as whoever
// serves another port of this host is sent the cookie too.
func (a *API) session(w http.ResponseWriter, r *http.Request) {
	v := visitorIn(r)
	writeJSON(w, http.StatusOK, client.Session{LoggedIn: v.who == owner || v.who == browser && v.proves(r)})
}

func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.CookiesNamed(cookieName(r)) {
		a.sessions.end(c.Value)
	}
	setCookies(w, r, "")
	writeJSON(w, http.StatusOK, client.Session{})
}

// link makes a one-time link to the page.
func (a *API) link(*http.Request) (client.Link, error) {
	base := a.opt.Endpoint()
	if base == "" {
		return client.Link{}, &client.Error{Code: client.CodeUnavailable, Message: "no instance is running", Hint: "start one: mcpproxy serve"}
	}
	return a.Link(base)
}

// Link makes a one-time link to the page of the instance whose endpoint is
// given. Its token is in the fragment, which no browser sends and no server
// logs.
func (a *API) Link(endpoint string) (client.Link, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return client.Link{}, err
	}
	token, expires := a.sessions.offer()
	page := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/ui/", Fragment: "once=" + token}
	return client.Link{URL: page.String(), Expires: expires.UTC()}, nil
}

// setCookies gives the browser the value, or takes it back if it is empty. The
// cookie is not marked Secure: the page is served on loopback without TLS, where
// some browsers would drop it.
func setCookies(w http.ResponseWriter, r *http.Request, value string) {
	for _, path := range cookiePaths {
		c := &http.Cookie{Name: cookieName(r), Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteStrictMode} //nolint:gosec // not Secure: see above
		if value == "" {
			c.MaxAge = -1
		} else {
			c.MaxAge = int(sessionIdle.Seconds())
		}
		http.SetCookie(w, c)
	}
}

// cookieName has the port, because browsers share cookies between the ports of
// a host and several instances may run.
func cookieName(r *http.Request) string {
	port := "80"
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	return "mcpproxy_session_" + port
}

// sameOrigin reports whether the page that made the browser send r came from
// this very address. Another port of this machine is another origin, although
// it is the same site for cookies.
func sameOrigin(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		_, host, _ := strings.Cut(origin, "://")
		if !strings.EqualFold(host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return false
}
