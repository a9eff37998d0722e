package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/internal/client"
)

// kinds names events shortly.
func kinds(list []client.Event) string {
	var names []string
	for _, e := range list {
		names = append(names, strings.TrimSuffix(string(e.Kind)+" "+e.Name, " "))
	}
	return strings.Join(names, ", ")
}

func TestEvents_MergesByTopic(t *testing.T) {
	t.Parallel()
	e := NewEvents()
	for range 1000 {
		e.Publish(client.EventServer, "a")
		e.Publish(client.EventIndex, "")
	}
	e.Publish(client.EventServer, "b")
	e.Publish(client.EventServer, "a")
	list, at, more := e.since(0)
	if got, want := kinds(list), "index, server b, server a"; got != want {
		t.Errorf("since the start: %s, want %s", got, want)
	}
	if list, _, _ := e.since(at); len(list) != 0 {
		t.Errorf("since now: %s, want nothing", kinds(list))
	}
	e.Publish(client.EventConfig, "")
	select {
	case <-more:
	default:
		t.Error("nobody was woken")
	}
	if list, _, _ := e.since(at); kinds(list) != "config" {
		t.Errorf("after one more: %s", kinds(list))
	}
}

func TestEvents_ForgetsWithoutLosing(t *testing.T) {
	t.Parallel()
	e := NewEvents()
	e.Publish(client.EventServer, "first")
	_, early, _ := e.since(0)
	for i := range maxTopics + 5 {
		e.Publish(client.EventServer, fmt.Sprint(i))
	}
	if len(e.latest) > maxTopics {
		t.Errorf("%d topics, want at most %d", len(e.latest), maxTopics)
	}
	if list, at, _ := e.since(early); kinds(list) != "all" || at != e.seq {
		t.Errorf("about what was forgotten: %s at %d, want all at %d", kinds(list), at, e.seq)
	}
	if list, _, _ := e.since(e.seq - 3); len(list) != 3 {
		t.Errorf("about what is known: %s", kinds(list))
	}
}

func TestEvents_Resume(t *testing.T) {
	t.Parallel()
	e := NewEvents()
	e.Publish(client.EventIndex, "")
	e.Publish(client.EventIndex, "")
	for id, known := range map[string]bool{
		e.id(1): true, e.id(2): true, e.id(0): true,
		e.id(3): false, "": false, "1": false, "other-1": false, e.epoch + "-": false, e.epoch + "--1": false, e.epoch + "-1x": false,
	} {
		if _, got := e.resume(id); got != known {
			t.Errorf("resume(%q) known = %v, want %v", id, got, known)
		}
	}
}

// listen reads the events of a until ctx ends.
func listen(ctx context.Context, a *API, after string) (<-chan client.Event, <-chan error) {
	seen, done := make(chan client.Event, 100), make(chan error, 1)
	go func() {
		done <- client.InProcess(a.Handler(Local)).Events(ctx, after, func(e client.Event) { seen <- e })
		close(seen)
	}()
	return seen, done
}

func TestEvents_StreamMergesBurstsAndResumes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Service: &fake{}, MCP: echoMCP, Events: NewEvents()})
		ctx, cancel := context.WithCancel(t.Context())
		seen, done := listen(ctx, a, "")
		if e := <-seen; e.Kind != client.EventAll || e.ID == "" {
			t.Errorf("first event = %+v, want all", e)
		}
		for range 500 { // of a busy second
			a.opt.Events.Publish(client.EventAudit, "")
			time.Sleep(2 * time.Millisecond)
		}
		synctest.Wait()
		if n := len(seen); n < 5 || n > 11 {
			t.Errorf("%d events for 500 of one second, want about one in %v", n, ssePause)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var last client.Event
		for len(seen) > 0 {
			last = <-seen
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Events = %v, want cancelled", err)
		}

		a.opt.Events.Publish(client.EventServer, "x")
		a.opt.Events.Publish(client.EventServer, "x")
		ctx, cancel = context.WithCancel(t.Context())
		seen, done = listen(ctx, a, last.ID)
		if e := <-seen; e.Kind != client.EventServer || e.Name != "x" {
			t.Errorf("resumed with %+v, want server x", e)
		}
		time.Sleep(time.Hour) // of heartbeats
		if len(seen) != 0 {
			t.Errorf("then %+v, want nothing", <-seen)
		}
		cancel()
		<-done
	})
}

func TestEvents_EndWithTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Service: &fake{}, MCP: echoMCP, Endpoint: testEndpoint})
		p := newPage(a)
		p.login(t, once(t, a))
		ended := make(chan int)
		go func() {
			ended <- p.send(httptest.NewRequest("GET", "/events", nil)).Code
		}()
		time.Sleep(sessionIdle - time.Minute) // an open stream is no use of the session
		select {
		case <-ended:
			t.Error("the stream ended with the session alive")
		default:
		}
		time.Sleep(2 * time.Minute)
		select {
		case code := <-ended:
			if code != http.StatusOK {
				t.Errorf("stream = %d", code)
			}
		default:
			t.Error("the stream outlived the session")
		}
	})
}

func TestEvents_Bounded(t *testing.T) {
	t.Parallel()
	a := New(Options{Service: &fake{}, MCP: echoMCP})
	for range maxStreams {
		a.opt.Events.enter()
	}
	w := httptest.NewRecorder()
	a.Handler(Local).ServeHTTP(w, httptest.NewRequest("GET", "/events", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("one stream more than %d = %d, want 503", maxStreams, w.Code)
	}
}

// A browser's own stream over TCP, and the shutdown that it must not delay.
func TestEvents_OverTCP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := New(Options{Service: &fake{}, MCP: echoMCP, Key: testKey, Endpoint: testEndpoint})
	stop := serve(t, a, l, TCP)
	cookie, _, ok := a.sessions.redeem(once(t, a), "")
	if !ok {
		t.Fatal("no session")
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: cookieName(req), Value: cookie})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || kind != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	var text []byte
	for buf := make([]byte, 256); !strings.Contains(string(text), "all"); {
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, text)
		}
		text = append(text, buf[:n]...)
	}
	start := time.Now()
	stop()
	if took := time.Since(start); took > shutdownGrace {
		t.Errorf("shutdown took %v", took)
	}
	if !slices.Contains(strings.Split(string(text), "\n"), "retry: 2000") {
		t.Errorf("stream begins %q", text)
	}
}
