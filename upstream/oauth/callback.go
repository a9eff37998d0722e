package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

// callbackPath is where the browser comes back to.
const callbackPath = "/callback"

// reply is what one browser that came back is shown: the result, or where to go
// on.
type reply struct {
	err   error
	again string // URL of a second attempt
}

// redirected is one valid answer of the authorization server, by way of the
// browser. The browser waits for a reply.
type redirected struct {
	code, fault, words, iss string
	reply                   chan reply // capacity 1
}

// callback listens on loopback for the browser to come back (RFC 8252, section
// 7.3). It takes one answer for each state it was told to expect.
type callback struct {
	name     string // of the server, for the page
	redirect string
	host     string // 127.0.0.1:PORT, the only Host it answers to
	answers  chan redirected
	http     *http.Server
	done     chan struct{}

	mu    sync.Mutex
	state string // expected; empty: none
}

// listen opens the callback at the port of an earlier redirect URI, or at a
// random one if that is taken or empty.
func listen(ctx context.Context, name, earlier string) (*callback, error) {
	var lc net.ListenConfig
	var l net.Listener
	err := errors.New("no earlier port")
	if port := portOf(earlier); port != "" {
		l, err = lc.Listen(ctx, "tcp4", "127.0.0.1:"+port)
	}
	if err != nil {
		if l, err = lc.Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	c := &callback{name: name, host: l.Addr().String(), answers: make(chan redirected), done: make(chan struct{})}
	c.redirect = "http://" + c.host + callbackPath
	c.http = &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) }}
	go func() {
		defer close(c.done)
		_ = c.http.Serve(l)
	}()
	return c, nil
}

// close lets the last page go out, at most 2 s, and frees the port.
func (c *callback) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	c.http.SetKeepAlivesEnabled(false)
	if c.http.Shutdown(ctx) != nil {
		_ = c.http.Close()
	}
	<-c.done
}

// expect makes state the one that is waited for. An earlier one is void.
func (c *callback) expect(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = state
}

// take reports whether state is the expected one, and voids it.
func (c *callback) take(state string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ok := c.state != "" && subtle.ConstantTimeCompare([]byte(c.state), []byte(state)) == 1
	if ok {
		c.state = ""
	}
	return ok
}

// ServeHTTP implements [http.Handler].
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Host != c.host:
		http.Error(w, "wrong host", http.StatusForbidden)
		return
	case r.URL.Path != callbackPath:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet:
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	case len(r.URL.RawQuery) > 16<<10 || repeats(q) || !c.take(q.Get("state")):
		c.page(w, http.StatusBadRequest, page{Title: "This login is not waited for",
			Text: "It was finished before, or it was not begun by mcpproxy. Nothing was done.", Next: hint.Command("auth", "login", c.name)})
		return
	}
	got := redirected{code: q.Get("code"), fault: q.Get("error"), words: q.Get("error_description"), iss: q.Get("iss"), reply: make(chan reply, 1)}
	select {
	case c.answers <- got:
	case <-r.Context().Done():
		return
	}
	select {
	case out := <-got.reply:
		c.show(w, r, got, out)
	case <-r.Context().Done():
	}
}

// repeats reports whether a parameter came twice, so that two readers could
// read two things.
func repeats(q map[string][]string) bool {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(q[name]) > 1 {
			return true
		}
	}
	return false
}

func (c *callback) show(w http.ResponseWriter, r *http.Request, got redirected, out reply) {
	switch {
	case out.again != "":
		http.Redirect(w, r, out.again, http.StatusFound)
	case out.err == nil:
		c.page(w, http.StatusOK, page{Title: "You are logged in", Good: true,
			Text: "mcpproxy can use " + c.name + " now. You can close this window."})
	default:
		p := page{Title: "The login did not work", Text: out.err.Error(), Next: hint.Command("auth", "login", c.name)}
		if got.fault != "" {
			p.Quote = escape.Short(got.words, 300)
		}
		c.page(w, http.StatusBadRequest, p)
	}
}

// portOf returns the port of a redirect URI that we made.
func portOf(redirect string) string {
	_, port, err := net.SplitHostPort(trimRedirect(redirect))
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n < 1024 {
		return ""
	}
	return port
}
