package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/client"
)

// serve serves a on l and returns what stops it.
func serve(t *testing.T, a *API, l net.Listener, s Surface) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, l, s) }()
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// shortDir is a data directory whose socket path always fits.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestLocal_ClientReachesTheInstance(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{
		"short path": shortDir(t),
		"long path":  filepath.Join(shortDir(t), strings.Repeat("d", 120)),
	} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Dial(dir); !errors.Is(err, client.ErrNotRunning) {
			t.Errorf("%s: Dial before = %v, want ErrNotRunning", name, err)
		}
		key, err := Key(dir)
		if err != nil {
			t.Fatal(err)
		}
		l, addr, err := ListenLocal(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		stop := serve(t, New(Options{Service: &fake{}, MCP: echoMCP, Key: key}), l, Local)
		c, err := client.Dial(dir)
		if err != nil {
			t.Fatalf("%s: Dial: %v", name, err)
		}
		if ix, err := c.Index(t.Context()); err != nil || ix.Tools != 7 {
			t.Errorf("%s: Index = %+v, %v", name, ix, err)
		}
		if info, err := os.Stat(addr); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
			t.Errorf("%s: socket %v, %v; want 0600", name, info, err)
		}
		c.Close()
		stop()
		if _, err := os.Stat(addr); err == nil {
			t.Errorf("%s: %s is left behind", name, addr)
		}
		if _, err := client.Dial(dir); !errors.Is(err, client.ErrNotRunning) {
			t.Errorf("%s: Dial after = %v, want ErrNotRunning", name, err)
		}
	}
}

// The listener of Windows: a loopback port, the key, and a proof of it.
func TestLocal_LoopbackPortNeedsTheKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := Key(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := record(dir, client.Address{Network: "tcp", Addr: l.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, New(Options{Service: &fake{}, MCP: echoMCP, Key: key}), l, Local)
	resp, err := http.Get("http://" + l.Addr().String() + "/api/v1/index")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the key: %d, want 401", resp.StatusCode)
	}
	c, err := client.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Index(t.Context()); err != nil {
		t.Errorf("with the key: %v", err)
	}
	c.Close()
	stop()

	stranger, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Skip("the port was taken meanwhile")
	}
	serve(t, New(Options{Service: &fake{}, MCP: echoMCP, Key: "another key of another user"}), stranger, Local)
	if _, err := client.Dial(dir); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("Dial of a stranger on the port = %v, want ErrNotRunning", err)
	}
}

func TestKey_IsMadeOnceAndPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Key(dir)
	if err != nil || len(first) != 64 {
		t.Fatalf("Key = %q, %v", first, err)
	}
	path := filepath.Join(dir, client.KeyFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := Key(dir); err != nil || again != first {
		t.Errorf("second Key = %q, %v", again, err)
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("key file %v, %v; want 0600", info.Mode(), err)
	}
	for _, bad := range []string{"", "short", "two words that are long enough"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := Key(dir); err == nil {
			t.Errorf("Key of %q = %q, want an error", bad, key)
		}
	}
}

func TestServe_EndsStreamsAndLetsCallsFinish(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 2), make(chan struct{})
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		entered <- struct{}{}
		if r.Method == http.MethodGet {
			<-r.Context().Done()
			return
		}
		<-release
		_, _ = io.WriteString(w, "finished")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/mcp"
	stop := serve(t, New(Options{Service: &fake{}, MCP: endpoint}), l, TCP)

	stream, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	call, err := http.Post(url, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer call.Body.Close()
	<-entered
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("stream: %v", err)
	}
	close(release)
	if text, err := io.ReadAll(call.Body); err != nil || string(text) != "finished" {
		t.Errorf("call = %q, %v", text, err)
	}
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Error("Serve did not return")
	}
}

func TestServe_RefusesLargeHeaders(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, New(Options{Service: &fake{}, MCP: echoMCP}), l, TCP)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("a", 40<<10))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("answer = %q, %v, want 431", line, err)
	}
}
