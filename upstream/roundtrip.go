package upstream

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Limits of one remote connection.
const (
	maxErrorBody    = 64 << 10         // of a status of 400 and above
	maxRedirects    = 5                // of one request
	deleteTimeout   = 2 * time.Second  // for the end of a session
	maxListenPause  = 60 * time.Second // between tries to listen
	maxHeaderBytes  = 256 << 10        // of a response
	connsPerServer  = 32               // kept open while idle
	connectTimeout  = 10 * time.Second
	sessionIDHeader = "Mcp-Session-Id"
	eventStream     = "text/event-stream"
)

// remote is the way of all HTTP requests to one server. It adds the configured
// headers, bounds what comes back, keeps requests at the server's site and puts
// what goes wrong into words that never hold a path, query or header.
type remote struct {
	origin  *url.URL // scheme and host only
	headers map[string]string
	base    *http.Transport

	server string
	login  Login // nil: no tokens

	fallback bool // 404 or 405 to the first POST is ErrNotStreamable
	events   bool // a GET must be answered by an event stream

	answered atomic.Bool  // a POST was answered 2xx
	deaf     atomic.Int32 // failures in a row to open the stream for listening
	bodies   openBodies
}

// newRemote returns the way to the server of s, and its URL without userinfo.
func newRemote(s Spec, env DialEnv) (*remote, string, error) {
	u, err := url.Parse(s.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, "", fmt.Errorf("%w: url is not valid: write http://host/path or https://host/path", ErrConfig)
	}
	headers, err := expandMap("headers", s.Headers, env.Expand)
	if err != nil {
		return nil, "", err
	}
	for name, value := range headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, "", fmt.Errorf("%w: header %q is not valid: names are words, values a single line", ErrConfig, name)
		}
	}
	if u.User != nil { // a header cannot slip into an error, a URL can
		if _, set := headers["Authorization"]; !set {
			password, _ := u.User.Password()
			headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
		}
		u.User = nil
	}
	u.Fragment = ""
	login := env.Login
	for name := range headers {
		if strings.EqualFold(name, "Authorization") { // the configuration's own credentials
			login = nil
		}
	}
	return &remote{
		server: s.Name, login: login,
		origin:  &url.URL{Scheme: u.Scheme, Host: u.Host},
		headers: headers,
		base: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment, // never for loopback
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    connsPerServer,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
	}, u.String(), nil
}

// client returns the HTTP client that goes this way.
func (r *remote) client() *http.Client {
	return &http.Client{Transport: r, CheckRedirect: r.checkRedirect}
}

// close waits until all responses are closed, at most 2 s, and closes the idle
// connections. Requests after it fail.
func (r *remote) close() {
	r.bodies.shut(deleteTimeout)
	r.base.CloseIdleConnections()
}

// RoundTrip implements [http.RoundTripper].
func (r *remote) RoundTrip(req *http.Request) (*http.Response, error) {
	listens := req.Method == http.MethodGet && !r.events && req.Header.Get("Last-Event-ID") == ""
	if listens {
		if err := r.pause(req.Context()); err != nil {
			return nil, err
		}
	}
	resp, err := r.send(req)
	if listens && err == nil && resp.StatusCode < 300 {
		r.deaf.Store(0)
	} else if listens {
		r.deaf.Add(1)
	}
	if err != nil {
		failureOf(req.Context()).set(err)
		return nil, err
	}
	return resp, nil
}

// pause spreads the tries to listen of a server that refuses them: mcp-go would
// try once a second for ever.
func (r *remote) pause(ctx context.Context) error {
	n := r.deaf.Load()
	if n == 0 {
		return nil
	}
	t := time.NewTimer(min(time.Second<<min(n, 10), maxListenPause))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send sends req with the token of the server's login. If the server refuses it
// before it runs the request and there is another one, it is sent once more.
func (r *remote) send(req *http.Request) (*http.Response, error) {
	if !r.permits(req.URL) {
		closeBody(req.Body)
		return nil, r.redirectError(req.URL)
	}
	if r.login == nil || !r.sameOrigin(req.URL) {
		return r.sendOnce(req, "")
	}
	for last := false; ; last = true {
		token, err := r.login.Token(req.Context(), r.server)
		if err != nil {
			closeBody(req.Body)
			return nil, fmt.Errorf("%s: %w: %w", r.origin, ErrNotNow, err)
		}
		resp, err := r.sendOnce(req, token)
		var refused *LoginError
		if !errors.As(err, &refused) || !r.login.Refused(req.Context(), r.server, token, refused.Challenge) || last {
			return resp, err
		}
		if req = rewound(req); req == nil {
			return nil, err
		}
	}
}

// rewound returns req with its body from the beginning, nil if that is gone.
func rewound(req *http.Request) *http.Request {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	again.Body = body
	return again
}

func (r *remote) sendOnce(req *http.Request, token string) (*http.Response, error) {
	if !r.bodies.open() {
		closeBody(req.Body)
		return nil, errConnClosed
	}
	ctx, cancel := req.Context(), func() {}
	if req.Method == http.MethodDelete {
		ctx, cancel = context.WithTimeout(ctx, deleteTimeout)
	}
	out := r.prepare(ctx, req)
	if token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.base.RoundTrip(out)
	if err != nil {
		cancel()
		r.bodies.done()
		return nil, r.plain(err)
	}
	b := &body{ReadCloser: resp.Body, fail: failureOf(ctx), plain: r.plain, release: func() { cancel(); r.bodies.done() }}
	resp.Body = b
	return r.judge(req, resp, b)
}

// prepare returns req with the configured headers. They go to the server's own
// origin only, and replace nothing that the protocol sets.
func (r *remote) prepare(ctx context.Context, req *http.Request) *http.Request {
	out := req.Clone(ctx)
	out.Header.Del("Referer") // after a redirect it holds the query
	if !r.sameOrigin(req.URL) {
		return out
	}
	for name, value := range r.headers {
		switch {
		case strings.EqualFold(name, "Host"):
			out.Host = value
		case out.Header.Get(name) == "":
			out.Header.Set(name, value)
		}
	}
	return out
}

// judge bounds the body b of resp and finds out what a bad status means. The
// failure of the request holds what mcp-go would put in other words.
func (r *remote) judge(req *http.Request, resp *http.Response, b *body) (*http.Response, error) {
	if err := r.loginError(resp.StatusCode, resp.Header); err != nil {
		closeBody(resp.Body)
		return nil, err
	}
	switch code := resp.StatusCode; {
	case code >= 400:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		closeBody(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(text))
		cause := r.statusError(req, code, text)
		if errors.Is(cause, ErrNotStreamable) {
			return nil, cause
		}
		failureOf(req.Context()).set(cause)
		return resp, nil
	case code >= 300:
		b.limit = newByteMeter(maxErrorBody)
		return resp, nil
	}
	if req.Method == http.MethodPost {
		r.answered.Store(true)
	}
	return r.judgeContent(req, resp, b)
}

// judgeContent bounds the body of a good answer by its content type.
func (r *remote) judgeContent(req *http.Request, resp *http.Response, b *body) (*http.Response, error) {
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	b.limit = newByteMeter(maxMessage)
	switch {
	case media == eventStream:
		listens := req.Method == http.MethodGet && req.Header.Get("Last-Event-ID") == ""
		b.limit = &eventMeter{once: !listens}
	case req.Method == http.MethodGet && r.events:
		closeBody(resp.Body)
		return nil, r.contentError(media)
	case req.Method == http.MethodPost && !r.events && media != "application/json":
		failureOf(req.Context()).set(r.contentError(media))
	}
	return resp, nil
}

func closeBody(b io.Closer) {
	if b != nil {
		_ = b.Close()
	}
}
