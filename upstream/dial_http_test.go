package upstream

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"

	"mcpproxy/internal/realtest"
)

func initRequest() transport.JSONRPCRequest {
	r := rpc(1, "initialize")
	r.Params = map[string]any{
		"protocolVersion": "2025-06-18", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "test", "version": "1"},
	}
	return r
}

func mcpServer() *mcpserver.MCPServer {
	s := mcpserver.NewMCPServer("srv", "1", mcpserver.WithToolCapabilities(true))
	s.AddTool(mcp.NewTool("echo"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("hi"), nil
	})
	return s
}

// seen records the requests that reach a test server.
type seen struct {
	mu   sync.Mutex
	reqs []*http.Request
}

func (s *seen) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.reqs = append(s.reqs, r.Clone(context.Background()))
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (s *seen) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.reqs {
		if r.Method == method {
			n++
		}
	}
	return n
}

func dialURL(t *testing.T, d Dialer, s Spec) *Conn {
	t.Helper()
	s.Name = "srv"
	c, err := d(t.Context(), s, DialEnv{})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func mustSend(t *testing.T, c *Conn, r transport.JSONRPCRequest) *transport.JSONRPCResponse {
	t.Helper()
	resp, err := c.SendRequest(t.Context(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.Method, err)
	}
	return resp
}

func TestDialHTTP_RealServer(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	s := mcpServer()
	var log seen
	srv := httptest.NewServer(log.wrap(mcpserver.NewStreamableHTTPServer(s, mcpserver.WithStateful(true))))
	changed := make(chan struct{}, 16)
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL + "/mcp?q=1", Headers: map[string]string{"Authorization": "Bearer x", "Content-Type": "text/plain"}})
	c.SetNotificationHandler(func(n mcp.JSONRPCNotification) {
		if n.Method == "notifications/tools/list_changed" {
			changed <- struct{}{}
		}
	})
	mustSend(t, c, initRequest())
	if err := c.SendNotification(t.Context(), dialNote("notifications/initialized", nil)); err != nil {
		t.Fatal(err)
	}
	if resp := mustSend(t, c, rpc(2, "tools/list")); !strings.Contains(string(resp.Result), "echo") {
		t.Errorf("tools/list = %s", resp.Result)
	}
	if c.GetSessionId() == "" {
		t.Error("no session")
	}
	realtest.Within(t, 10*time.Second, "GET stream", func() bool { return log.count(http.MethodGet) > 0 })
	realtest.Within(t, 10*time.Second, "list_changed", func() bool {
		s.AddTool(mcp.NewTool("more"), nil)
		select {
		case <-changed:
			return true
		default:
			return false
		}
	})
	select {
	case <-c.Done:
		t.Error("Done is closed before Close")
	default:
	}
	c.Close()
	c.Close()
	if err := awaitDone(t, c, time.Second); !errors.Is(err, errConnClosed) {
		t.Errorf("Err() = %v, want errConnClosed", err)
	}
	if n := log.count(http.MethodDelete); n != 1 {
		t.Errorf("%d DELETE, want 1", n)
	}
	log.mu.Lock()
	for _, r := range log.reqs {
		if r.Header.Get("Authorization") != "Bearer x" {
			t.Errorf("%s without the configured header", r.Method)
		}
		if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: a configured header replaced one of the protocol", r.Method)
		}
	}
	log.mu.Unlock()
	if _, err := c.SendRequest(t.Context(), rpc(9, "ping")); !errors.Is(err, errConnClosed) {
		t.Errorf("request after Close = %v, want errConnClosed", err)
	}
	srv.Close()
	goleak.VerifyNone(t, ignore)
}

func TestDialHTTP_ConfigFaults(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Spec{
		"no url":         {},
		"no scheme":      {URL: "localhost:80/CANARY"},
		"other scheme":   {URL: "ftp://CANARY@h/CANARY"},
		"no parse":       {URL: "http://CANARY\x7f"},
		"bad name":       {URL: "http://h/", Headers: map[string]string{"a b": "CANARY"}},
		"two lines":      {URL: "http://h/", Headers: map[string]string{"A": "CANARY\r\nX: y"}},
		"no placeholder": {URL: "http://h/", Headers: map[string]string{"A": "${x}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range []Dialer{dialHTTP, dialSSE} {
				_, err := d(t.Context(), s, DialEnv{Expand: func(text string) (string, error) {
					if strings.HasPrefix(text, "${") {
						return "", errors.New("x is not set")
					}
					return text, nil
				}})
				if !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "CANARY") {
					t.Errorf("dial = %v, want ErrConfig without the text", err)
				}
			}
		})
	}
}

// answer is a handler of one fixed answer.
func answer(status int, header map[string]string, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

var (
	asJSON   = map[string]string{"Content-Type": "application/json"}
	asEvents = map[string]string{"Content-Type": eventStream}
)

func TestDialHTTP_FaultsInPlainWords(t *testing.T) {
	t.Parallel()
	challenge := map[string]string{"Www-Authenticate": `Bearer realm="x", resource_metadata="https://h/.well-known/x", scope="a b"`}
	cases := map[string]struct {
		handler  http.HandlerFunc
		fallback bool
		is       error
		want     string
	}{
		"401":              {answer(401, challenge, "CANARY"), false, ErrLogin, "answered 401: login needed"},
		"403":              {answer(403, nil, "CANARY"), false, nil, "answered 403 Forbidden: check the credentials"},
		"404":              {answer(404, nil, "CANARY"), false, nil, "answered 404 Not Found: check the path"},
		"404, fallback":    {answer(404, nil, "CANARY"), true, ErrNotStreamable, "answered 404"},
		"405, fallback":    {answer(405, nil, "CANARY"), true, ErrNotStreamable, "answered 405"},
		"403, fallback":    {answer(403, nil, "CANARY"), true, nil, "answered 403"},
		"500":              {answer(500, nil, "CANARY"), false, nil, "answered 500 Internal Server Error"},
		"500, JSON":        {answer(500, asJSON, `{"CANARY":1}`), false, nil, "answered 500"},
		"unknown status":   {answer(799, nil, "CANARY"), false, nil, "answered 799"},
		"HTML":             {answer(200, map[string]string{"Content-Type": "text/html"}, "CANARY"), false, nil, `answered "text/html", which is no MCP`},
		"no JSON":          {answer(200, asJSON, "CANARY"), false, nil, "no valid JSON-RPC answer"},
		"empty object":     {answer(200, asJSON, "{}"), false, nil, "no valid JSON-RPC answer"},
		"no answer":        {answer(200, asEvents, ": CANARY\n\n"), false, nil, "no valid JSON-RPC answer"},
		"another id":       {answer(200, asJSON, `{"jsonrpc":"2.0","id":7,"result":{"x":"CANARY"}}`), false, nil, "a request that was not asked"},
		"redirect of POST": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other?CANARY", http.StatusFound) }, false, nil, `redirects to the path "/other"`},
		"circle": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/CANARY", http.StatusTemporaryRedirect)
		}, false, nil, "in a circle"},
		"redirect away": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://h.invalid/CANARY", http.StatusTemporaryRedirect)
		}, false, nil, "points to another server (http://h.invalid)"},
		"hang up":          {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, nil, "closed the connection before"},
		"JSON over 16 MB":  {answer(200, asJSON, `{"x":"`+strings.Repeat("x", maxMessage)), false, ErrTooLarge, ""},
		"event over 16 MB": {answer(200, asEvents, "data:"+strings.Repeat("x", maxMessage)), false, ErrTooLarge, ""},
		"too many lines":   {answer(200, asEvents, strings.Repeat("data:\n", maxEventLines+1)), false, ErrTooLarge, ""},
		"inflated":         {bomb, false, ErrTooLarge, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(tc.handler)
			srv.Config.ErrorLog = nil
			srv.Start()
			defer srv.Close()
			secret := strings.Replace(srv.URL, "http://", "http://user:CANARY@", 1) + "/CANARY?token=CANARY#CANARY"
			c := dialURL(t, dialHTTP, Spec{URL: secret, SSEFallback: tc.fallback, Headers: map[string]string{"X": "CANARY"}})
			_, err := c.SendRequest(t.Context(), initRequest())
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "CANARY") || len(err.Error()) > 300 {
				t.Fatalf("initialize = %v, want %q and no secret", err, tc.want)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("initialize = %v, want it to wrap %v", err, tc.is)
			}
			if tc.is == nil && (errors.Is(err, ErrConfig) || errors.Is(err, ErrNotStreamable) || errors.Is(err, ErrSessionLost)) {
				t.Errorf("initialize = %v wraps a sentinel", err)
			}
			var login *LoginError
			if errors.As(err, &login) && (login.Challenge.ResourceMetadata != "https://h/.well-known/x" || login.Challenge.Scope != "a b") {
				t.Errorf("challenge %+v", login)
			}
		})
	}
}

// bomb answers with gzip that inflates to 64 MB.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	defer z.Close()
	chunk := strings.Repeat(" ", 1<<20)
	for range 64 {
		if _, err := io.WriteString(z, chunk); err != nil {
			return
		}
	}
}

func TestDialHTTP_NothingListens(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL + "/CANARY?CANARY"})
	_, err := c.SendRequest(t.Context(), initRequest())
	if want := "nothing listens at " + srv.URL; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("initialize = %v, want %q", err, want)
	}
	_, err = dialSSE(t.Context(), Spec{URL: srv.URL + "/CANARY"}, DialEnv{})
	if want := "nothing listens at " + srv.URL; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("dialSSE = %v, want %q", err, want)
	}
}

func TestDialHTTP_UntrustedCertificate(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(answer(200, asJSON, "{}"))
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL})
	if _, err := c.SendRequest(t.Context(), initRequest()); err == nil || !strings.Contains(err.Error(), "issuer is unknown") {
		t.Errorf("initialize = %v, want the certificate", err)
	}
	c = dialURL(t, dialHTTP, Spec{URL: strings.Replace(srv.URL, "https", "http", 1)})
	if _, err := c.SendRequest(t.Context(), initRequest()); err == nil {
		t.Error("initialize over plain http succeeded")
	}
	plain := httptest.NewServer(answer(200, asJSON, "{}"))
	defer plain.Close()
	c = dialURL(t, dialHTTP, Spec{URL: strings.Replace(plain.URL, "http", "https", 1)})
	if _, err := c.SendRequest(t.Context(), initRequest()); err == nil || !strings.Contains(err.Error(), "does not speak https") {
		t.Errorf("https to a plain server = %v", err)
	}
}

func TestDialHTTP_SessionLost(t *testing.T) {
	t.Parallel()
	lost := map[string]http.HandlerFunc{
		"404":              answer(404, nil, "CANARY"),
		"400 on a session": answer(400, asJSON, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}`),
	}
	for name, gone := range lost {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				switch {
				case r.Method == http.MethodGet:
					w.WriteHeader(http.StatusMethodNotAllowed)
				case strings.Contains(string(data), "initialize"):
					w.Header().Set(sessionIDHeader, "s")
					answer(200, asJSON, `{"jsonrpc":"2.0","id":1,"result":{}}`)(w, r)
				default:
					gone(w, r)
				}
			}))
			defer srv.Close()
			c := dialURL(t, dialHTTP, Spec{URL: srv.URL, SSEFallback: true})
			mustSend(t, c, initRequest())
			if _, err := c.SendRequest(t.Context(), rpc(2, "ping")); !errors.Is(err, ErrSessionLost) {
				t.Errorf("ping = %v, want ErrSessionLost", err)
			}
		})
	}
}

func TestDialHTTP_JSONRPCErrorOf400IsKept(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(answer(400, asJSON, `{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no"}}`))
	defer srv.Close()
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL})
	resp, err := c.SendRequest(t.Context(), rpc(2, "ping"))
	if err != nil || resp.Error == nil || resp.Error.Code != -32602 {
		t.Errorf("ping = %v, %v; want the JSON-RPC error", resp, err)
	}
}

func TestDialHTTP_FollowsRedirectOnOwnServer(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mcp" {
			http.Redirect(w, r, "/mcp/", http.StatusTemporaryRedirect)
			return
		}
		if r.Header.Get("X-Key") != "k" || r.Header.Get("Referer") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		answer(200, asJSON, `{"jsonrpc":"2.0","id":1,"result":{}}`)(w, r)
	}))
	defer srv.Close()
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL + "/mcp", Headers: map[string]string{"X-Key": "k"}})
	mustSend(t, c, initRequest())
}

func TestRemote_Permits(t *testing.T) {
	t.Parallel()
	cases := []struct {
		from, to      string
		permits, same bool
	}{
		{"http://h:1/a", "http://h:1/b", true, true},
		{"http://h/", "http://H:80/", true, true},
		{"http://h/", "https://h/", true, true},
		{"http://h:1/", "https://h:1/", false, false},
		{"http://h:1/", "http://h:2/", false, false},
		{"https://h/", "http://h/", false, false},
		{"https://mcp.example.com/", "https://api.example.com/", true, false},
		{"http://mcp.example.com/", "https://api.example.com/", false, false},
		{"https://a.github.io/", "https://b.github.io/", false, false},
		{"https://10.0.0.1/", "https://9.0.0.1/", false, false},
		{"https://[::1]/", "https://[::2]/", false, false},
		{"https://com/", "https://com/", true, true},
	}
	for _, c := range cases {
		from, _ := url.Parse(c.from)
		to, _ := url.Parse(c.to)
		r := &remote{origin: from}
		if r.permits(to) != c.permits || r.sameOrigin(to) != c.same {
			t.Errorf("%s -> %s: permits %v, same origin %v; want %v, %v", c.from, c.to, r.permits(to), r.sameOrigin(to), c.permits, c.same)
		}
	}
}

func TestDialHTTP_CloseIsBoundedByHangingServer(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		if strings.Contains(string(data), "initialize") {
			w.Header().Set(sessionIDHeader, "s")
			answer(200, asJSON, `{"jsonrpc":"2.0","id":1,"result":{}}`)(w, r)
			return
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL})
	mustSend(t, c, initRequest())
	failed := make(chan error, 1)
	go func() {
		_, err := c.SendRequest(context.Background(), rpc(2, "hang"))
		failed <- err
	}()
	begin := time.Now()
	c.Close()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("Close took %v, want at most 4 s", took)
	}
	if err := <-failed; !errors.Is(err, errConnClosed) {
		t.Errorf("request in flight = %v, want errConnClosed", err)
	}
	close(release)
	srv.Close()
	goleak.VerifyNone(t, ignore)
}

func TestDialHTTP_DeadlineIsTheCallers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.SendRequest(ctx, rpc(1, "hang")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang = %v, want the deadline", err)
	}
}

func TestEventMeter(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", maxMessage/2)
	cases := map[string]struct {
		chunks []string
		want   bool
	}{
		"many events":       {[]string{"data:" + half + "\n\n", "data:" + half + "\n\n", "data:" + half + "\r\n\r", "\n" + half}, true},
		"one event":         {[]string{"data:" + half + "\n", "data:" + half}, false},
		"no newline":        {[]string{half, half, "x"}, false},
		"CR is not a line":  {[]string{half + "\r\r", half}, false},
		"split blank lines": {[]string{"data:" + half + "\n", "\n", "data:" + half + "\n", "\n"}, true},
	}
	for name, c := range cases {
		m, got := new(eventMeter), true
		for _, chunk := range c.chunks {
			_, fits := m.take([]byte(chunk))
			got = got && fits
		}
		if got != c.want {
			t.Errorf("%s: fits = %v, want %v", name, got, c.want)
		}
	}
}

func TestDefaultDialers_KnowEveryTransport(t *testing.T) {
	t.Parallel()
	for _, name := range []string{Stdio, HTTP, SSE} {
		if DefaultDialers()[name] == nil {
			t.Errorf("no dialer for %q", name)
		}
	}
}

func TestDialHTTP_ManyAnswersLeakNothing(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	srv := httptest.NewServer(answer(200, asEvents, strings.Repeat("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n", 50)))
	c := dialURL(t, dialHTTP, Spec{URL: srv.URL})
	for range 20 {
		mustSend(t, c, rpc(1, "ping"))
	}
	c.Close()
	srv.Close()
	goleak.VerifyNone(t, ignore)
}

func TestEventMeter_EndsAfterAnswer(t *testing.T) {
	t.Parallel()
	const (
		notice  = "data: {\"method\":\"x\"}\n\n"
		request = "data: {\"id\":1,\"method\":\"x\"}\n\n"
		reply   = "id: 7\r\ndata: {\"id\":1,\r\ndata: \"result\":{}}\r\n\r\n"
	)
	for _, size := range []int{1, 7, 1000} {
		m, passed := &eventMeter{once: true}, 0
		for rest := []byte(notice + request + ": ping\n\n" + reply + reply); len(rest) > 0; {
			chunk := rest[:min(size, len(rest))]
			rest = rest[len(chunk):]
			n, fits := m.take(chunk)
			passed += n
			if !fits {
				t.Fatalf("chunks of %d: too large", size)
			}
		}
		if want := len(notice + request + ": ping\n\n" + reply); passed != want {
			t.Errorf("chunks of %d: %d bytes pass, want %d", size, passed, want)
		}
	}
}

func FuzzEventMeter(f *testing.F) {
	f.Add("data: {\"id\":1}\n\ndata: {\"id\":2}\n\n", 3)
	f.Add("data:\r\n\r\n\r", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 {
			return
		}
		whole, fits := (&eventMeter{once: true}).take([]byte(text))
		m, passed, chunksFit := &eventMeter{once: true}, 0, true
		for rest := []byte(text); len(rest) > 0 && chunksFit; {
			chunk := rest[:min(size, len(rest))]
			rest = rest[len(chunk):]
			n, ok := m.take(chunk)
			passed, chunksFit = passed+n, ok
		}
		if fits != chunksFit || fits && whole != passed {
			t.Errorf("%q in chunks of %d: %d %v, at once %d %v", text, size, passed, chunksFit, whole, fits)
		}
	})
}
