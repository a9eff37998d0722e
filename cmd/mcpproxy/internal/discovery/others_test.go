package discovery_test

import (
	"context"
	"testing"
	"testing/synctest"

	"mcpproxy/cmd/mcpproxy/internal/discovery"
)

func (w *world) shelved(server string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shelf[server]
}

func TestSyncer_Others_FollowPoolAndGate(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		check := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := w.shelved("a"); got != want {
				t.Errorf("shelf: %q, want %q", got, want)
			}
		}
		w.set(func() { w.lists["a"] = []string{"x"} })
		w.pool.Publish("a")
		want(t, w, "a:x") // tools do not wait for what is listed after them
		check("")
		w.set(func() { w.others["a"] = []string{"p", "q"}; w.holds["a:prompt/q"] = true })
		w.pool.Publish("a")
		check("p -q")
		w.set(func() { delete(w.holds, "a:prompt/q") })
		w.gate.Publish("a")
		check("p q")
		if err := s.Prune(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		check("")
		want(t, w, "")
	})
}

// TestSyncer_Others_RemembersWhatWasApproved: a server that is down at the start
// offers what was approved of it, until it is listed, and again never.
func TestSyncer_Others_RemembersWhatWasApproved(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		check := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := w.shelved("a"); got != want {
				t.Errorf("shelf: %q, want %q", got, want)
			}
		}
		w.set(func() { w.remembers = map[string][]string{"a": {"p", "q"}} })
		if err := s.Prune(context.Background(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
		check("p q")
		w.set(func() { w.others["a"] = []string{"q"} })
		w.pool.Publish("a")
		check("q")
		w.set(func() { delete(w.others, "a") }) // replaced by one that did not list yet
		w.pool.Publish("a")
		check("q")
		if err := s.Prune(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		check("")
	})
}
