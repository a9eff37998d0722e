package api

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, whose time is the test's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// dial connects, as a client that the server accepted.
func (p *pipes) dial() net.Conn {
	mine, theirs := net.Pipe()
	p.conns <- theirs
	return mine
}

// ask sends a whole request on its own connection and returns the status line.
func (p *pipes) ask() (string, error) {
	conn := p.dial()
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

// dribble sends one byte of a header each second until the server hangs up.
func dribble(conn net.Conn, gone *sync.WaitGroup) {
	defer gone.Done()
	defer conn.Close()
	go func() { _, _ = io.Copy(io.Discard, conn) }() // a pipe holds nothing
	for _, c := range []byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("a", 1000)) {
		if _, err := conn.Write([]byte{c}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// limited runs test against a server in a bubble of time.
func limited(t *testing.T, a *API, test func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p, done := newPipes(), make(chan error, 1)
		go func() { done <- a.Serve(ctx, p, TCP) }()
		test(t, p)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// R7 of the promises: a thousand half-open clients delay nobody, and all are
// hung up on by their deadline.
func TestLimits_SlowLoris(t *testing.T) {
	t.Parallel()
	limited(t, New(Options{Service: &fake{}, MCP: echoMCP}), func(t *testing.T, p *pipes) {
		var gone sync.WaitGroup
		for range 1000 {
			gone.Add(1)
			go dribble(p.dial(), &gone)
		}
		start := time.Now()
		if line, err := p.ask(); err != nil || !strings.Contains(line, "200") {
			t.Errorf("a client among them got %q, %v", line, err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("it waited %v", took)
		}
		gone.Wait()
		if took := time.Since(start); took > readHeaderTimeout+2*time.Second {
			t.Errorf("the last one was there for %v", took)
		}
	})
}

func TestLimits_SlowBody(t *testing.T) {
	t.Parallel()
	limited(t, New(Options{Service: &fake{}, MCP: echoMCP}), func(t *testing.T, p *pipes) {
		conn := p.dial()
		var sender sync.WaitGroup
		defer sender.Wait() // time stops with the test
		defer conn.Close()
		start := time.Now()
		sender.Go(func() {
			_, _ = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
			for range 1000 {
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, "408") {
			t.Errorf("answer %q, %v, want 408", line, err)
		}
		if took := time.Since(start); took > readBodyTimeout+time.Second {
			t.Errorf("it came after %v", took)
		}
	})
}

func TestLimits_IdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	limited(t, New(Options{Service: &fake{}, MCP: echoMCP}), func(t *testing.T, p *pipes) {
		conn := p.dial()
		defer conn.Close()
		go func() { _, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
		start := time.Now()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < idleTimeout || took > idleTimeout+time.Second {
			t.Errorf("it was closed after %v, want %v", took, idleTimeout)
		}
	})
}

// Connections that have a request under way are never given up for a new one.
func TestLimits_ActiveConnectionsStay(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-release; w.WriteHeader(http.StatusNoContent) })
	limited(t, New(Options{Service: &fake{}, MCP: slow}), func(t *testing.T, p *pipes) {
		release = make(chan struct{}) // of this bubble
		var answered sync.WaitGroup
		for range maxConnections {
			conn := p.dial()
			answered.Go(func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, "GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
				if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "204") {
					t.Errorf("an active client got %q, %v", line, err)
				}
			})
		}
		synctest.Wait()
		if line, err := p.ask(); err == nil {
			t.Errorf("one more got %q, want to be hung up on", line)
		}
		close(release)
		answered.Wait()
		if line, err := p.ask(); err != nil || !strings.Contains(line, "200") {
			t.Errorf("later: %q, %v", line, err)
		}
	})
}

// Who may not use a route fills no memory: the question comes before the body.
func TestLimits_StrangersSendNoBodies(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey, RequireKey: func() bool { return true }}).Handler(TCP)
	for _, r := range routes {
		if r.method != "POST" && r.method != "PUT" && r.method != "PATCH" {
			continue
		}
		body := &counted{Reader: bytes.NewReader(make([]byte, maxBody))}
		req := visit{}.request(r)
		req.Header.Del("X-API-Key")
		req.Body, req.ContentLength = io.NopCloser(body), -1
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if want := bodyLimit(r); r.access == open && body.read > want+4096 || r.access != open && body.read > 0 {
			t.Errorf("%s %s = %d after %d bytes", r.method, r.pattern, w.Code, body.read)
		}
	}
}

type counted struct {
	io.Reader
	read int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}
