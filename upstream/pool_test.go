package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// newPool returns a pool over in-process servers that is closed with the test
// and must never change a state against the table.
func newPool(t *testing.T, servers map[string]*upstreamtest.Server, change func(*upstream.Options)) *upstream.Pool {
	t.Helper()
	core, logs := observer.New(zapcore.ErrorLevel)
	opt := upstream.Options{Dialers: upstreamtest.Table(servers), Log: zap.New(core)}
	if change != nil {
		change(&opt)
	}
	p := upstream.NewPool(opt)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		for _, e := range logs.All() {
			t.Errorf("log: %s %v", e.Message, e.ContextMap())
		}
	})
	return p
}

func apply(t *testing.T, p *upstream.Pool, specs ...upstream.Spec) {
	t.Helper()
	if err := p.Apply(t.Context(), specs); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func stdio(name string) upstream.Spec {
	return upstream.Spec{Name: name, Transport: upstream.Stdio}
}

func status(t *testing.T, p *upstream.Pool, name string) upstream.Status {
	t.Helper()
	for _, s := range p.Status() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no status of %q", name)
	return upstream.Status{}
}

// await waits until ok holds for the server's status, looking after each event.
func await(t *testing.T, p *upstream.Pool, name string, ok func(upstream.Status) bool) upstream.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sub := p.Changes().Subscribe()
	defer sub.Close()
	for {
		st := status(t, p, name)
		if ok(st) {
			return st
		}
		if _, err := sub.Next(ctx); err != nil {
			t.Fatalf("%s stays %+v", name, st)
		}
	}
}

func awaitState(t *testing.T, p *upstream.Pool, name string, want upstream.State) upstream.Status {
	t.Helper()
	return await(t, p, name, func(s upstream.Status) bool { return s.State == want })
}

func call(t *testing.T, p *upstream.Pool, server, name string) (upstream.Result, error) {
	t.Helper()
	return p.Call(t.Context(), upstream.Call{ID: tool.ID{Server: server, Name: name}, Arguments: json.RawMessage(`{"a":1}`)})
}

func toolNames(t *testing.T, p *upstream.Pool, server string) string {
	t.Helper()
	tools, err := p.Tools(t.Context(), server)
	if err != nil {
		return err.Error()
	}
	names := make([]string, len(tools))
	for i, tl := range tools {
		names[i] = tl.ID.Name
	}
	return strings.Join(names, " ")
}

func TestPool_Apply_TouchesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	a, b, c := &upstreamtest.Server{}, &upstreamtest.Server{}, &upstreamtest.Server{}
	p := newPool(t, map[string]*upstreamtest.Server{"a": a, "b": b, "c": c}, nil)
	apply(t, p, stdio("a"), stdio("b"))
	awaitState(t, p, "a", upstream.Ready)
	awaitState(t, p, "b", upstream.Ready)
	changed := stdio("b")
	changed.Args = []string{"new"}
	apply(t, p, stdio("a"), changed, stdio("c"))
	awaitState(t, p, "b", upstream.Ready)
	awaitState(t, p, "c", upstream.Ready)
	for name, want := range map[*upstreamtest.Server]int{a: 1, b: 2, c: 1} {
		if dials, _, _ := name.Counts(); dials != want {
			t.Errorf("dials = %d, want %d", dials, want)
		}
	}
	apply(t, p, stdio("c"))
	if got := p.Status(); len(got) != 1 || got[0].Name != "c" {
		t.Errorf("Status = %+v, want c alone", got)
	}
	if _, err := call(t, p, "a", "x"); !errors.Is(err, upstream.ErrUnknown) {
		t.Errorf("Call of a removed server = %v, want ErrUnknown", err)
	}
}

func TestPool_Apply_RefusesDoubleNames(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil, nil)
	if err := p.Apply(t.Context(), []upstream.Spec{stdio("a"), stdio("a")}); !errors.Is(err, upstream.ErrConfig) {
		t.Errorf("Apply = %v, want ErrConfig", err)
	}
}

func TestPool_Apply_NeverStartsDisabledOrHeld(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	p := newPool(t, map[string]*upstreamtest.Server{"off": srv, "held": srv}, nil)
	off, held := stdio("off"), stdio("held")
	off.Disabled, held.Held = true, "never approved"
	apply(t, p, off, held)
	for name, want := range map[string]upstream.State{"off": upstream.Disabled, "held": upstream.Held} {
		if got := status(t, p, name); got.State != want {
			t.Errorf("%s is %s, want %s", name, got.State, want)
		}
		if _, err := call(t, p, name, "x"); !errors.Is(err, upstream.ErrUnavailable) {
			t.Errorf("Call of %s = %v, want ErrUnavailable", name, err)
		}
		if err := p.Restart(t.Context(), name); !errors.Is(err, upstream.ErrUnavailable) {
			t.Errorf("Restart of %s = %v, want ErrUnavailable", name, err)
		}
		if _, err := p.Tools(t.Context(), name); !errors.Is(err, upstream.ErrNotListed) {
			t.Errorf("Tools of %s = %v, want ErrNotListed", name, err)
		}
	}
	if dials, _, _ := srv.Counts(); dials != 0 {
		t.Errorf("dials = %d, want 0", dials)
	}
	apply(t, p, off, stdio("held"))
	awaitState(t, p, "held", upstream.Ready)
}

func TestPool_Apply_NeverWaitsForASlowServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		servers := map[string]*upstreamtest.Server{"slow": {Script: upstreamtest.Script{HangInit: true}}}
		specs := []upstream.Spec{stdio("slow")}
		for i := range 77 {
			name := fmt.Sprintf("s%d", i)
			servers[name] = &upstreamtest.Server{}
			specs = append(specs, stdio(name))
		}
		p := newPool(t, servers, func(o *upstream.Options) { o.Starts = 1 })
		began := time.Now()
		apply(t, p, specs...)
		if d := time.Since(began); d != 0 {
			t.Errorf("Apply took %s", d)
		}
		synctest.Wait()
		time.Sleep(time.Second) // fake time: the slow one's slot comes free
		synctest.Wait()
		for _, s := range p.Status() {
			if want := map[bool]upstream.State{true: upstream.Starting, false: upstream.Ready}[s.Name == "slow"]; s.State != want {
				t.Errorf("%s is %s, want %s", s.Name, s.State, want)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestPool_Status_SaysWhatPeopleAsk(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Name: "demo", Protocol: "2025-03-26", Tools: append(upstreamtest.Tools("t", 3),
		json.RawMessage(`{"description":"no name"}`), upstreamtest.Tool("t1"))}}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	apply(t, p, stdio("a"), stdio("ghost"))
	got := awaitState(t, p, "a", upstream.Ready)
	if got.Tools != 3 || !got.Listed || got.Protocol != "2025-03-26" || got.Version != "demo 1" {
		t.Errorf("Status = %+v", got)
	}
	if want := "1 unreadable definitions (bad tool definition: no name) and 1 duplicate names skipped"; got.Error != want {
		t.Errorf("Error = %q, want %q", got.Error, want)
	}
	if ghost := awaitState(t, p, "ghost", upstream.Failed); !strings.Contains(ghost.Error, "no such test server") {
		t.Errorf("Error = %q", ghost.Error)
	}
}

// A parser takes one of two members with equal keys, a model reads both.
func TestPool_Status_SkipsWhatSaysAKeyTwice(t *testing.T) {
	t.Parallel()
	schema := `{"type":"object","properties":{"p":{"type":"string","description":"hidden"},"p":{"type":"string"}}}`
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{upstreamtest.Tool("fine"),
		json.RawMessage(`{"name":"schema","inputSchema":` + schema + `}`), json.RawMessage(`{"name":"text","description":"hidden","description":"shown"}`)}}}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	apply(t, p, stdio("a"))
	got := awaitState(t, p, "a", upstream.Ready)
	if want := "2 unreadable definitions skipped: an object in it has a key twice"; got.Tools != 1 || got.Error != want {
		t.Errorf("%d tools, Error = %q, want %q", got.Tools, got.Error, want)
	}
}

func TestPool_Connect_RefusesUnknownProtocol(t *testing.T) {
	t.Parallel()
	p := newPool(t, map[string]*upstreamtest.Server{"a": {Script: upstreamtest.Script{Protocol: "1999-01-01"}}}, nil)
	apply(t, p, stdio("a"))
	if got := awaitState(t, p, "a", upstream.BackingOff); !strings.Contains(got.Error, `the server speaks protocol "1999-01-01"`) {
		t.Errorf("Error = %q", got.Error)
	}
}

func TestPool_Tools_KeepRawBytes(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{upstreamtest.OddTool}, Garbage: true}}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	apply(t, p, stdio("a"))
	awaitState(t, p, "a", upstream.Ready)
	tools, err := p.Tools(t.Context(), "a")
	if err != nil || len(tools) != 1 || string(tools[0].Raw) != string(upstreamtest.OddTool) {
		t.Errorf("Tools = %v, %v", tools, err)
	}
	res, err := call(t, p, "a", "odd")
	if err != nil || string(res.Raw) != string(upstreamtest.OddResult) {
		t.Errorf("Call = %s, %v", res.Raw, err)
	}
}

func TestPool_Restart_KeepsListing(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 2)}}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	apply(t, p, stdio("a"))
	awaitState(t, p, "a", upstream.Ready)
	for range 5 {
		if err := p.Restart(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got := toolNames(t, p, "a"); got != "t0 t1" {
			t.Errorf("Tools = %q", got)
		}
		if _, err := call(t, p, "a", "t0"); err != nil {
			t.Errorf("Call during restart: %v", err)
		}
	}
	if err := p.Restart(t.Context(), "b"); !errors.Is(err, upstream.ErrUnknown) {
		t.Errorf("Restart = %v, want ErrUnknown", err)
	}
}

func TestPool_List_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 5), PageSize: 2}}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	var frames []string
	held := stdio("a")
	held.Held = "not approved"
	tools, err := p.List(t.Context(), held, func(dir string, frame []byte) { frames = append(frames, dir+string(frame)) })
	if err != nil || len(tools) != 5 {
		t.Fatalf("List = %d tools, %v", len(tools), err)
	}
	if len(frames) != 9 || !strings.HasPrefix(frames[0], `->{"jsonrpc":"2.0","id":1,"method":"initialize"`) || !strings.HasPrefix(frames[8], `<-{`) {
		t.Errorf("frames = %q", frames)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	srv.Script.HangInit = true
	if _, err := p.List(ctx, held, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("List of a hanging server = %v, want DeadlineExceeded", err)
	}
}

func TestPool_Close_EndsEverything(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{}
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
	apply(t, p, stdio("a"))
	awaitState(t, p, "a", upstream.Ready)
	failed := make(chan error, 1)
	go func() {
		_, err := p.Call(context.Background(), upstream.Call{ID: tool.ID{Server: "a", Name: upstreamtest.Hang}})
		failed <- err
	}()
	for _, _, calls := srv.Counts(); calls == 0; _, _, calls = srv.Counts() {
		time.Sleep(time.Millisecond)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, upstream.ErrLost) {
		t.Errorf("Call = %v, want ErrLost", err)
	}
	if err := p.Apply(t.Context(), nil); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("Apply = %v, want ErrClosed", err)
	}
	if _, err := call(t, p, "a", "x"); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("Call = %v, want ErrClosed", err)
	}
	if _, err := p.List(t.Context(), stdio("a"), nil); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("List = %v, want ErrClosed", err)
	}
	if got := slices.Concat(p.Status()); len(got) != 0 {
		t.Errorf("Status = %v", got)
	}
}
