package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/internal/event"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// lists returns how often the server was listed.
func lists(s *upstreamtest.Server) int {
	_, n, _ := s.Counts()
	return n
}

func TestPool_List_FollowsPages(t *testing.T) {
	t.Parallel()
	p := readyPool(t, &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 25), PageSize: 4}}, nil)
	if st := status(t, p, "a"); st.Tools != 25 {
		t.Errorf("Tools = %d, want 25", st.Tools)
	}
}

func TestPool_List_HasCaps(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]upstreamtest.Script{
		"pages":  {EndlessCursor: true},
		"cursor": {SameCursor: true},
		"tools":  {Tools: upstreamtest.Tools("t", 50_001)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, map[string]*upstreamtest.Server{"a": {Script: script}}, nil)
			apply(t, p, stdio("a"))
			awaitState(t, p, "a", upstream.BackingOff)
			if _, err := p.List(t.Context(), stdio("a"), nil); !errors.Is(err, upstream.ErrListCap) {
				t.Errorf("List = %v, want ErrListCap", err)
			}
		})
	}
}

func TestPool_List_NoToolsCapability(t *testing.T) {
	t.Parallel()
	srv := &upstreamtest.Server{Script: upstreamtest.Script{NoTools: true, Tools: upstreamtest.Tools("t", 2)}}
	p := readyPool(t, srv, nil)
	if st := status(t, p, "a"); st.Tools != 0 || !st.Listed || lists(srv) != 0 {
		t.Errorf("status = %+v, lists = %d", st, lists(srv))
	}
}

func TestPool_Relist_OnListChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
		p := readyPool(t, srv, nil)
		began := time.Now()
		for i := range 100 { // a burst over 5 s
			srv.SetTools(upstreamtest.Tools("t", i+2))
			time.Sleep(50 * time.Millisecond)
		}
		burst := lists(srv)
		time.Sleep(time.Second)
		synctest.Wait()
		if st := status(t, p, "a"); st.Tools != 101 {
			t.Errorf("Tools = %d 1 s after the burst, want 101", st.Tools)
		}
		if burst > 6 || lists(srv) > 7 {
			t.Errorf("%d lists in the burst, %d in %s", burst, lists(srv), time.Since(began))
		}
	})
}

func TestPool_Relist_Intervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{}
		p := readyPool(t, srv, nil)
		time.Sleep(time.Hour + time.Second)
		if got := lists(srv); got != 13 {
			t.Errorf("lists in an idle hour = %d, want 13", got)
		}
		for range 60 {
			if _, err := call(t, p, "a", "t"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if got := lists(srv) - 13; got < 58 || got > 61 {
			t.Errorf("lists in a busy hour = %d, want 60", got)
		}
	})
}

func TestPool_Relist_SoonAfterRemoteConnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{}
		p := newPool(t, map[string]*upstreamtest.Server{"a": srv}, nil)
		apply(t, p, upstream.Spec{Name: "a", Transport: upstream.HTTP})
		time.Sleep(time.Minute)
		if got := lists(srv); got != 2 {
			t.Errorf("lists = %d, want 2", got)
		}
	})
}

func TestPool_Relist_PublishesOnlyChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 3)}}
		p := readyPool(t, srv, nil)
		synctest.Wait() // the first listing of what is no tool follows that of the tools
		sub := p.Changes().Subscribe()
		defer sub.Close()
		time.Sleep(time.Hour)
		srv.SetTools([]json.RawMessage{upstreamtest.Tool("t2"), upstreamtest.Tool("t0"), upstreamtest.Tool("t1")})
		time.Sleep(2 * time.Second)
		if n := pending(t, sub); n != 0 {
			t.Errorf("%d events for equal listings", n)
		}
		srv.SetTools(upstreamtest.Tools("t", 4))
		time.Sleep(2 * time.Second)
		if n := pending(t, sub); n != 1 {
			t.Errorf("%d events for a changed listing, want 1", n)
		}
	})
}

// pending takes what waits in sub.
func pending(t *testing.T, sub *event.Subscription[string]) int {
	t.Helper()
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := sub.Next(ctx)
		cancel()
		if err != nil {
			return n
		}
	}
}

func TestPool_Relist_FailureKeepsListing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 2)}}
		p := readyPool(t, srv, nil)
		srv.SetTools(upstreamtest.Tools("u", 50_001))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		st := status(t, p, "a")
		if st.State != upstream.Ready || toolNames(t, p, "a") != "t0 t1" || !strings.Contains(st.Error, "earlier listing") {
			t.Errorf("status = %+v", st)
		}
		srv.SetTools(upstreamtest.Tools("v", 1))
		time.Sleep(2 * time.Second)
		if st := status(t, p, "a"); st.Error != "" || toolNames(t, p, "a") != "v0" {
			t.Errorf("status = %+v", st)
		}
	})
}
