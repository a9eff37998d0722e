package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// visit is one row of the matrix. Zero fields are what an honest client sends.
type visit struct {
	name        string
	host        string // "": 127.0.0.1:8080
	origin      string // "": not sent
	contentType string // "": application/json where there is a body; "-": none
	trusted     string
	want        int // 0: the guard lets it in
}

const (
	no    = http.StatusForbidden
	no415 = http.StatusUnsupportedMediaType
)

var visits = []visit{
	{name: "loopback address"},
	{name: "loopback without port", host: "127.0.0.1"},
	{name: "localhost", host: "localhost:8080"},
	{name: "localhost without port", host: "localhost"},
	{name: "localhost in capitals", host: "LOCALHOST:8080"},
	{name: "IPv6 loopback", host: "[::1]:8080"},
	{name: "IPv6 loopback without port", host: "[::1]"},
	{name: "other loopback address", host: "127.9.8.7:1"},
	{name: "trusted host", host: "proxy.lan:8080", trusted: "proxy.lan"},
	{name: "trusted host in capitals", host: "Proxy.LAN", trusted: "proxy.lan"},
	{name: "own origin", origin: "http://127.0.0.1:8080"},
	{name: "origin localhost", origin: "http://localhost:3000"},
	{name: "origin IPv6", origin: "http://[::1]:8080"},
	{name: "trusted origin", origin: "https://proxy.lan", trusted: "proxy.lan"},
	{name: "JSON with charset", contentType: "application/json; charset=utf-8"},
	{name: "JSON in capitals", contentType: "Application/JSON"},

	{name: "foreign host", host: "evil.test", want: no},
	{name: "foreign host with our port", host: "evil.test:8080", want: no},
	{name: "rebinding name", host: "127.0.0.1.evil.test:8080", want: no},
	{name: "localhost as a label", host: "localhost.evil.test", want: no},
	{name: "user before localhost", host: "evil.test@localhost", want: no},
	{name: "port that is a name", host: "localhost:evil.test", want: no},
	{name: "private address", host: "192.168.1.5:8080", want: no},
	{name: "any address", host: "0.0.0.0:8080", want: no},
	{name: "decimal address", host: "2130706433:8080", want: no},
	{name: "short address", host: "127.1:8080", want: no},
	{name: "IPv6 any", host: "[::]:8080", want: no},
	{name: "IPv6 with zone", host: "[::1%25eth0]:8080", want: no},
	{name: "trusted suffix", host: "evil-proxy.lan", trusted: "proxy.lan", want: no},
	{name: "foreign origin", origin: "https://evil.test", want: no},
	{name: "foreign origin with our port", origin: "http://evil.test:8080", want: no},
	{name: "origin null", origin: "null", want: no},
	{name: "origin without scheme", origin: "localhost:8080", want: no},
	{name: "origin of a file", origin: "file://localhost", want: no},
	{name: "origin of an extension", origin: "chrome-extension://localhost", want: no},
	{name: "origin with path", origin: "http://localhost/x", want: no},
	{name: "origin with user", origin: "http://localhost@evil.test", want: no},
	{name: "foreign host and good origin", host: "evil.test", origin: "http://localhost", want: no},

	{name: "plain text", contentType: "text/plain", want: no415},
	{name: "form", contentType: "application/x-www-form-urlencoded", want: no415},
	{name: "multipart", contentType: "multipart/form-data; boundary=x", want: no415},
	{name: "no content type", contentType: "-", want: no415},
	{name: "text with JSON parameter", contentType: "text/plain; a=application/json", want: no415},
	{name: "JSON in a list", contentType: "application/json, text/plain", want: no415},
}

// request returns the visit of route r, with the key.
func (v visit) request(r route) *http.Request {
	path := strings.NewReplacer("{$}", "", "{name}", "a", "{id}", "a:b", "{path...}", "").Replace(r.pattern)
	var body io.Reader
	if r.method == "POST" || r.method == "PATCH" || r.method == "PUT" {
		body = strings.NewReader("{}")
	}
	req := httptest.NewRequest(r.method, "http://127.0.0.1:8080"+path, body)
	if r.pattern == "/events" { // one that ends after the first event
		gone, cancel := context.WithCancel(req.Context())
		cancel()
		req = req.WithContext(gone)
	}
	if v.host != "" {
		req.Host = v.host
	}
	if v.origin != "" {
		req.Header.Set("Origin", v.origin)
	}
	switch {
	case v.contentType == "-" || body == nil:
	case v.contentType != "":
		req.Header.Set("Content-Type", v.contentType)
	default:
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-API-Key", testKey)
	return req
}

// honest is what an honest visit of the fake gets from r.
func (r route) honest() int {
	switch r.method + " " + r.pattern {
	case "GET /{$}":
		return http.StatusFound
	case "GET /metrics": // the fake has none
		return http.StatusServiceUnavailable
	case "POST /api/v1/session": // no link was given out
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

// answersItself reports whether r is answered without the [Service].
func (r route) answersItself() bool {
	return r.access == open || r.access == agent || r.pattern == "/events" || r.pattern == "/metrics" || strings.HasPrefix(r.pattern, "/api/v1/session")
}

func testEndpoint() string { return "http://localhost:8080/mcp/" }

func TestGuard_MatrixOverAllRoutes(t *testing.T) {
	t.Parallel()
	if len(visits) < 40 || len(routes) < 20 {
		t.Fatalf("%d rows over %d routes: the matrix lost something", len(visits), len(routes))
	}
	for _, v := range visits {
		a := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey, TrustedHosts: []string{v.trusted}, Endpoint: testEndpoint})
		h := a.Handler(TCP)
		for _, r := range routes {
			req := v.request(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			want := v.want
			if want == no415 && req.Body == http.NoBody {
				want = 0
			}
			if want == 0 {
				want = r.honest()
			}
			if w.Code != want {
				t.Errorf("%s: %s %s = %d, want %d: %s", v.name, r.method, r.pattern, w.Code, want, w.Body)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s %s answers %s", v.name, r.method, r.pattern, name)
				}
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %s %s lacks a security header", v.name, r.method, r.pattern)
			}
		}
	}
}

func TestGuard_LocalSurfaceChecksOriginAndContentType(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP, Endpoint: testEndpoint}).Handler(Local)
	for _, v := range visits {
		for _, r := range routes {
			req := v.request(r)
			req.Header.Del("X-API-Key")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			want := r.honest()
			switch {
			case v.origin != "" && (v.want == no || v.trusted != "") && v.host == "":
				want = no
			case v.want == no415 && req.Body != http.NoBody:
				want = no415
			}
			if w.Code != want {
				t.Errorf("%s: %s %s = %d, want %d", v.name, r.method, r.pattern, w.Code, want)
			}
		}
	}
}

func TestGuard_UnknownMethodsAndPaths(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey}).Handler(TCP)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"OPTIONS", "/mcp", 405}, {"PUT", "/mcp", 405}, {"OPTIONS", "/api/v1/servers", 405},
		{"GET", "/mcp/more", 404}, {"GET", "/api/v2/status", 404}, {"GET", "/nothing", 404}, {"POST", "/", 405}, {"GET", "/ui/none.js", 404}, {"GET", "/ui/../routes.go", 307}, {"POST", "/ui/", 405},
		{"GET", "/api/v1/servers/a/tools", 405}, {"GET", "/api/v1/quarantine/a/approve", 405},
	} {
		req := httptest.NewRequest(c.method, "http://localhost"+c.path, nil)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != c.want {
			t.Errorf("%s %s = %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}

// Every path answers 405 to the methods that it does not have, and HEAD ends
// even where GET does not.
func TestGuard_MethodsOfAllPaths(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey, Endpoint: testEndpoint}).Handler(TCP)
	has := map[string]bool{}
	for _, r := range routes {
		has[r.method+" "+r.pattern] = true
	}
	for _, r := range routes {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if has[method+" "+r.pattern] || strings.HasPrefix(r.pattern, "/api/v1/tools/") || r.pattern == "/api/v1/models/use" {
				continue // these overlap with tools/{id} and models/{name}
			}
			other := r
			other.method = method
			req := visit{}.request(other)
			req.Header.Set("Content-Type", "application/json")
			req = req.WithContext(t.Context())
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if method == "HEAD" && has["GET "+r.pattern] {
				if w.Code == http.StatusMethodNotAllowed {
					t.Errorf("HEAD %s = %d", r.pattern, w.Code)
				}
			} else if w.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s = %d, want 405", method, r.pattern, w.Code)
			}
		}
	}
}

func TestAdmit_Key(t *testing.T) {
	t.Parallel()
	with := func(name, value string) http.Header { return http.Header{name: {value}} }
	for _, c := range []struct {
		name    string
		header  http.Header
		key     string
		person  int // want of a person's route
		agent   int // want of /mcp
		require bool
	}{
		{name: "none", key: testKey, person: 401, agent: 200},
		{name: "none, required", key: testKey, require: true, person: 401, agent: 401},
		{name: "bearer", header: with("Authorization", "Bearer "+testKey), key: testKey, require: true, person: 200, agent: 200},
		{name: "bearer in small letters", header: with("Authorization", "bearer "+testKey), key: testKey, person: 200, agent: 200},
		{name: "own header", header: with("X-Api-Key", testKey), key: testKey, require: true, person: 200, agent: 200},
		{name: "wrong", header: with("X-Api-Key", testKey[1:]+"0"), key: testKey, require: true, person: 401, agent: 401},
		{name: "prefix", header: with("X-Api-Key", testKey[1:]), key: testKey, person: 401, agent: 200},
		{name: "basic", header: with("Authorization", "Basic "+testKey), key: testKey, person: 401, agent: 200},
		{name: "empty key set", header: with("X-Api-Key", ""), person: 401, agent: 200},
		{name: "empty bearer", header: with("Authorization", "Bearer "), require: true, person: 401, agent: 401},
	} {
		a := New(Options{Service: &fake{}, MCP: echoMCP, Key: c.key, RequireKey: func() bool { return c.require }, Endpoint: testEndpoint})
		for _, r := range routes {
			req := visit{}.request(r)
			req.Header.Del("X-API-Key")
			maps.Copy(req.Header, c.header)
			want := map[access]int{open: 200, agent: c.agent, person: c.person, keyHolder: c.person}[r.access]
			if want == 200 {
				want = r.honest()
			}
			w := httptest.NewRecorder()
			a.Handler(TCP).ServeHTTP(w, req)
			if w.Code != want {
				t.Errorf("%s: %s %s = %d, want %d", c.name, r.method, r.pattern, w.Code, want)
			}
			w = httptest.NewRecorder()
			a.Handler(Local).ServeHTTP(w, req)
			if w.Code != r.honest() && w.Code != 400 { // 400: the body was read before
				t.Errorf("%s: local %s %s = %d", c.name, r.method, r.pattern, w.Code)
			}
		}
	}
}

func TestGuard_BodyLimit(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP}).Handler(TCP)
	big := bytes.Repeat([]byte("a"), maxBody+1)
	for name, length := range map[string]int64{"declared": int64(len(big)), "chunked": -1} {
		req := httptest.NewRequest("POST", "http://localhost/mcp", bytes.NewReader(big))
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = length
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d, want 413", name, w.Code)
		}
	}
	req := httptest.NewRequest("POST", "http://localhost/mcp", io.MultiReader(strings.NewReader("{"), broken{}))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if w.Code != http.StatusRequestTimeout {
		t.Errorf("broken body: %d, want 408", w.Code)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut") }

func TestInFlight_LimitsOneClientOnly(t *testing.T) {
	t.Parallel()
	var f inFlight
	for range maxInFlight {
		if !f.enter("a") {
			t.Fatal("refused below the limit")
		}
	}
	if f.enter("a") {
		t.Error("let in beyond the limit")
	}
	if !f.enter("b") {
		t.Error("another client was refused")
	}
	for range maxInFlight {
		f.leave("a")
	}
	f.leave("b")
	if len(f.by) != 0 {
		t.Errorf("left over: %v", f.by)
	}
}

func FuzzAllowedOrigin(f *testing.F) {
	for _, v := range visits {
		f.Add(v.origin, v.host)
	}
	a := New(Options{})
	f.Fuzz(func(t *testing.T, origin, host string) {
		if a.allowedHost(host) && !strings.Contains(strings.ToLower(host), "localhost") && !strings.Contains(host, "127.") && !strings.Contains(host, "1") {
			t.Errorf("host %q is allowed", host)
		}
		if a.allowedOrigin(origin) && !strings.HasPrefix(strings.ToLower(origin), "http") {
			t.Errorf("origin %q is allowed", origin)
		}
	})
}
