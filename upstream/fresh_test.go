package upstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// TestPool_Call_NothingGoesOutAfterListChanged changes a tool at once before each
// of many calls: no call for the approved definition reaches the server after it
// announced another one, however soon it comes.
func TestPool_Call_NothingGoesOutAfterListChanged(t *testing.T) {
	t.Parallel()
	for i := range 25 {
		synctest.Test(t, func(t *testing.T) {
			var flipped atomic.Bool
			srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{upstreamtest.Tool("t")}}}
			srv.OnCall = func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
				if flipped.Load() {
					t.Error("a call arrived after list_changed")
				}
				return json.RawMessage(`{"content":[]}`), nil
			}
			p := readyPool(t, srv, nil)
			listed, err := p.Tools(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			want := upstream.Call{ID: tool.ID{Server: "a", Name: "t"}, Want: listed[0].Hash()}
			if _, err := p.Call(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(i) * 90 * time.Millisecond)
			srv.SetTools([]json.RawMessage{fmt.Appendf(nil, `{"name":"t","description":"version %d","inputSchema":{"type":"object"}}`, i)})
			synctest.Wait() // list_changed has arrived
			flipped.Store(true)
			began := time.Now()
			if _, err := p.Call(t.Context(), want); !errors.Is(err, upstream.ErrChanged) {
				t.Errorf("Call = %v, want ErrChanged", err)
			}
			if d := time.Since(began); d > time.Second {
				t.Errorf("the call waited %s for the listing", d)
			}
		})
	}
}

func TestPool_Call_GoesOnAfterAnEmptyAnnouncement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
		p := readyPool(t, srv, nil)
		srv.SetTools(upstreamtest.Tools("t", 1))
		synctest.Wait()
		if _, err := call(t, p, "a", "t0"); err != nil {
			t.Error(err)
		}
	})
}
