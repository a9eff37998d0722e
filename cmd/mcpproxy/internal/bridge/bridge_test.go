package bridge

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/client"
)

// instance is a scripted /mcp with sessions.
type instance struct {
	mu       sync.Mutex
	sessions map[string]bool
	next     int
	seen     []string // method and session of every message
}

func (i *instance) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sessions = nil
}

func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var e envelope
	_ = json.Unmarshal(body, &e)
	id := r.Header.Get("Mcp-Session-Id")
	i.mu.Lock()
	i.seen = append(i.seen, strings.TrimSpace(r.Method+" "+e.Method+" "+id))
	if e.Method == "initialize" {
		if i.sessions == nil {
			i.sessions = map[string]bool{}
		}
		i.next++
		id = fmt.Sprintf("s%d", i.next)
		i.sessions[id] = true
	}
	known := i.sessions[id]
	i.mu.Unlock()
	switch {
	case !known:
		http.Error(w, `{"message":"unknown session"}`, http.StatusNotFound)
	case e.Method == "initialize":
		w.Header().Set("Mcp-Session-Id", id)
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25"}}`, e.ID)
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case e.Method == "stream":
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":%s,\"result\":{\"big\":12345678901234567890}}\n\n", e.ID)
	case e.Method == "cut":
		w.Header().Set("Content-Type", "text/event-stream")
	case len(e.ID) > 0:
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"session":%q,"version":%q}}`, e.ID, id, r.Header.Get("MCP-Protocol-Version"))
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// talk is a running bridge.
type talk struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Scanner
	done chan error
}

func start(t *testing.T, dial func() (Endpoint, error)) *talk {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &talk{t: t, in: inW, out: bufio.NewScanner(outR), done: make(chan error, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	go func() {
		c.done <- Run(ctx, inR, Options{Dial: dial, Patience: 50 * time.Millisecond, Out: outW})
		_ = outW.Close()
	}()
	t.Cleanup(func() {
		_ = inW.Close()
		_, _ = io.Copy(io.Discard, outR)
		if err := <-c.done; err != nil {
			t.Errorf("Run: %v", err)
		}
		cancel()
	})
	return c
}

func (c *talk) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *talk) hears(want string) {
	c.t.Helper()
	if !c.out.Scan() {
		c.t.Fatalf("the output ended, want %s", want)
	}
	if got := c.out.Text(); got != want {
		c.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func (c *talk) opens() {
	c.t.Helper()
	c.say(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}`)
	c.hears(`{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}`)
	c.say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

func TestRun_PassesMessagesAsTheyAre(t *testing.T) {
	t.Parallel()
	i := &instance{}
	c := start(t, func() (Endpoint, error) { return client.InProcess(i), nil })
	c.opens()
	c.say(`{"jsonrpc":"2.0","id":"a","method":"ping"}`)
	c.hears(`{"jsonrpc":"2.0","id":"a","result":{"session":"s1","version":"2025-11-25"}}`)
	c.say("")
	c.say(`{"jsonrpc":"2.0","id":2,"method":"stream"}`)
	c.hears(`{"jsonrpc":"2.0","method":"notifications/progress"}`)
	c.hears(`{"jsonrpc":"2.0","id":2,"result":{"big":12345678901234567890}}`)
	c.say(`not json`)
	c.hears(`{"error":{"code":-32700,"message":"this line is no JSON-RPC message"},"id":null,"jsonrpc":"2.0"}`)
	c.say(`{"jsonrpc":"2.0","id":3,"method":"cut"}`)
	c.hears(`{"error":{"code":-32000,"message":"the instance ended before it answered; whether it ran the request is not known"},"id":3,"jsonrpc":"2.0"}`)
	_ = c.in.Close()
	if c.out.Scan() {
		t.Errorf("more output: %s", c.out.Text())
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if last := i.seen[len(i.seen)-1]; last != "DELETE  s1" {
		t.Errorf("last request %q, want DELETE of the session", last)
	}
}

func TestRun_OpensTheSessionAnew(t *testing.T) {
	t.Parallel()
	i := &instance{}
	c := start(t, func() (Endpoint, error) { return client.InProcess(i), nil })
	c.opens()
	i.forget()
	c.say(`{"jsonrpc":"2.0","id":7,"method":"ping"}`)
	for _, what := range []string{"tools", "prompts", "resources"} {
		c.hears(`{"jsonrpc":"2.0","method":"notifications/` + what + `/list_changed"}`)
	}
	c.hears(`{"jsonrpc":"2.0","id":7,"result":{"session":"s2","version":"2025-11-25"}}`)
}

// A client that ends the program and leaves stdin open is not kept waiting.
func TestRun_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	in, keepOpen := io.Pipe()
	defer keepOpen.Close()
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, in, Options{Dial: func() (Endpoint, error) { return nil, client.ErrNotRunning }, Out: io.Discard})
	}()
	end()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Run waits for the end of stdin")
	}
}

func TestRun_SaysThatNothingRuns(t *testing.T) {
	t.Parallel()
	c := start(t, func() (Endpoint, error) { return nil, errors.New("not running: start it") })
	c.say(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}`)
	c.hears(`{"error":{"code":-32000,"message":"not running: start it"},"id":0,"jsonrpc":"2.0"}`)
}
