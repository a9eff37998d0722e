package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// readyPool returns a pool whose server "a" is ready.
func readyPool(t *testing.T, srv *upstreamtest.Server, change func(*upstream.Options)) *upstream.Pool {
	t.Helper()
	p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, change)
	apply(t, p, stdio("a"))
	awaitState(t, p, "a", upstream.Ready)
	return p
}

func TestPool_Call_SendsArgumentsByLiteralText(t *testing.T) {
	t.Parallel()
	var got json.RawMessage
	srv := &upstreamtest.Server{OnCall: func(_ context.Context, _ string, args json.RawMessage) (json.RawMessage, error) {
		got = args
		return json.RawMessage(`{"content":[],"isError":true}`), nil
	}}
	p := readyPool(t, srv, nil)
	for _, c := range []struct{ name, args, want string }{
		{"big and odd numbers", `{"n":1152921504606846976,"f":1.0,"e":1e2}`, `{"n":1152921504606846976,"f":1.0,"e":1e2}`},
		{"none", ``, `{}`},
		{"not an object", `[1]`, ""},
		{"broken", `{"a":`, ""},
	} {
		got = nil
		res, err := p.Call(t.Context(), upstream.Call{ID: tool.ID{Server: "a", Name: "t"}, Arguments: json.RawMessage(c.args)})
		if c.want == "" {
			if !errors.Is(err, upstream.ErrArguments) || got != nil {
				t.Errorf("%s: Call = %v, sent %s, want ErrArguments and nothing sent", c.name, err, got)
			}
			continue
		}
		if err != nil || string(got) != c.want || !res.IsError {
			t.Errorf("%s: Call = %+v, %v, sent %s, want %s", c.name, res, err, got, c.want)
		}
	}
}

func TestPool_Call_ReturnsRPCError(t *testing.T) {
	t.Parallel()
	p := readyPool(t, &upstreamtest.Server{}, nil)
	_, err := call(t, p, "a", upstreamtest.Fail)
	var rpc *upstream.RPCError
	if !errors.As(err, &rpc) || rpc.Code != -32000 || rpc.Message != "told to fail" || string(rpc.Data) != `{"why":"script"}` {
		t.Errorf("Call = %v (%+v)", err, rpc)
	}
}

func TestPool_Call_RoutesProgress(t *testing.T) {
	t.Parallel()
	p := readyPool(t, &upstreamtest.Server{Script: upstreamtest.Script{Progress: 3}}, nil)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			var got []string
			_, err := p.Call(t.Context(), upstream.Call{
				ID: tool.ID{Server: "a", Name: "t"}, Meta: json.RawMessage(`{"progressToken":"mine","x":1}`),
				Progress: func(params json.RawMessage) {
					var v struct{ Progress int }
					_ = json.Unmarshal(params, &v)
					got = append(got, fmt.Sprint(v.Progress))
				},
			})
			if err != nil || strings.Join(got, "") != "123" {
				t.Errorf("progress = %v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

func TestPool_Call_ForwardsLogs(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	p := readyPool(t, &upstreamtest.Server{}, func(o *upstream.Options) {
		o.Notify = func(server, method string, params json.RawMessage) {
			got <- server + " " + method + " " + string(params)
		}
	})
	if _, err := call(t, p, "a", upstreamtest.Log); err != nil {
		t.Fatal(err)
	}
	if g, want := <-got, `a notifications/message {"data":"hello","level":"info"}`; g != want {
		t.Errorf("Notify = %s, want %s", g, want)
	}
}

func TestPool_Call_CancelTellsTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{}
		p := readyPool(t, srv, nil)
		began := time.Now()
		_, err := call(t, p, "a", upstreamtest.Hang)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("Call = %v after %s, want DeadlineExceeded after 1m", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err = p.Call(ctx, upstream.Call{ID: tool.ID{Server: "a", Name: upstreamtest.Hang}}); !errors.Is(err, context.Canceled) {
			t.Errorf("Call = %v, want Canceled", err)
		}
		synctest.Wait()
		if got := srv.Cancelled(); len(got) != 2 {
			t.Errorf("cancelled = %v, want 2 ids", got)
		}
		if st := status(t, p, "a"); st.State != upstream.Ready {
			t.Errorf("state = %s after timeouts", st.State)
		}
	})
}

func TestPool_Call_ProgressExtendsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{}
		p := readyPool(t, srv, nil)
		srv.OnCall = func(ctx context.Context, _ string, _ json.RawMessage) (json.RawMessage, error) {
			for range 5 {
				select {
				case <-time.After(50 * time.Second):
				case <-ctx.Done():
				}
				for id := range 20 { // one of them is the call's token
					srv.Broadcast("notifications/progress", fmt.Appendf(nil, `{"progressToken":%d,"progress":1}`, id))
				}
			}
			return json.RawMessage(`{"content":[]}`), nil
		}
		began := time.Now()
		_, err := p.Call(t.Context(), upstream.Call{ID: tool.ID{Server: "a", Name: "t"}, Progress: func(json.RawMessage) {}})
		if err != nil || time.Since(began) != 250*time.Second {
			t.Errorf("Call = %v after %s, want success after 250s", err, time.Since(began))
		}
	})
}

func TestPool_Call_LostConnectionFailsFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{}
		p := readyPool(t, srv, nil)
		began := time.Now()
		time.AfterFunc(time.Second, srv.Kill)
		_, err := call(t, p, "a", upstreamtest.Hang)
		if d := time.Since(began) - time.Second; !errors.Is(err, upstream.ErrLost) || d > 2*time.Second {
			t.Errorf("Call = %v, %s after the kill, want ErrLost within 2s", err, d)
		}
		if _, err := call(t, p, "a", "t"); err != nil {
			t.Errorf("the next call: %v", err)
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("reconnected after %s", d)
		}
	})
}

func TestPool_Call_DeafServerIsReplaced(t *testing.T) {
	t.Parallel() // in real time: a blocked writer holds a mutex
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Deaf: true, NoTools: true}}
	p := readyPool(t, srv, func(o *upstream.Options) { o.Timing.Call = 50 * time.Millisecond })
	began := time.Now()
	for range 3 { // the first ones still fit in buffers
		if _, err := call(t, p, "a", "t"); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, upstream.ErrLost) {
			t.Errorf("Call = %v", err)
		}
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("three calls of 50ms took %s", d)
	}
	await(t, p, "a", func(upstream.Status) bool { dials, _, _ := srv.Counts(); return dials > 1 })
}

func TestPool_Call_WaitsForStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, map[string]*upstreamtest.Server{"a": {Script: upstreamtest.Script{SlowInit: 20 * time.Second}}}, nil)
		apply(t, p, stdio("a"))
		began := time.Now()
		if _, err := call(t, p, "a", "t"); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("Call = %v after %s, want success after 20s", err, time.Since(began))
		}
	})
}

func TestPool_Call_ConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var now, most int
		srv := &upstreamtest.Server{OnCall: func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return json.RawMessage(`{"content":[]}`), nil
		}}
		p := readyPool(t, srv, nil)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := call(t, p, "a", "t"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most != 32 {
			t.Errorf("at once = %d, want 32", most)
		}
	})
}

func TestPool_Call_RefusesChangedDefinition(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 2)}}
	p := readyPool(t, srv, nil)
	tools, _ := p.Tools(t.Context(), "a")
	want := upstream.Call{ID: tools[0].ID, Want: tools[0].Hash()}
	if _, err := p.Call(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	want.Want = tools[1].Hash()
	if _, err := p.Call(t.Context(), want); !errors.Is(err, upstream.ErrChanged) {
		t.Errorf("Call = %v, want ErrChanged", err)
	}
	if _, _, calls := srv.Counts(); calls != 1 {
		t.Errorf("calls = %d, want 1", calls)
	}
}

func TestPool_Call_NeedsLoginNamesNextStep(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil, func(o *upstream.Options) {
		o.Dialers = map[string]upstream.Dialer{upstream.HTTP: func(context.Context, upstream.Spec, upstream.DialEnv) (*upstream.Conn, error) {
			return nil, fmt.Errorf("%w: %d", upstream.ErrLogin, http.StatusUnauthorized)
		}}
	})
	apply(t, p, upstream.Spec{Name: "a", Transport: upstream.HTTP})
	awaitState(t, p, "a", upstream.NeedsLogin)
	_, err := call(t, p, "a", "t")
	if !errors.Is(err, upstream.ErrUnavailable) || !errors.Is(err, upstream.ErrLogin) || !strings.Contains(err.Error(), "mcpproxy auth login a") {
		t.Errorf("Call = %v", err)
	}
}
