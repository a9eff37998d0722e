package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"

	"mcpproxy/cmd/mcpproxy/internal/discovery"
	"mcpproxy/index"
	"mcpproxy/internal/event"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
	"mcpproxy/upstream"
)

// world is a pool, a gate and an index in one: small and observable.
type world struct {
	pool, gate event.Feed[string]

	mu     sync.Mutex
	lists  map[string][]string // by server; absent: not listed
	others map[string][]string // prompts, likewise
	shelf  map[string]string

	remembers map[string][]string // prompts of the gate, by server
	holds     map[string]bool     // "server:tool"
	indexed   map[string][]string
	gateErr   error
	indexErr  error
	replaces  int

	running  map[string]int
	together atomic.Int32
	most     atomic.Int32
	work     time.Duration // of one Admit
}

func newWorld() *world {
	return &world{lists: map[string][]string{}, others: map[string][]string{}, holds: map[string]bool{}, indexed: map[string][]string{}, running: map[string]int{}}
}

// The three faces of world.
type (
	pool struct{ *world }
	gate struct{ *world }
	idx  struct{ *world }
)

func (p pool) Changes() *event.Feed[string] { return &p.pool }
func (g gate) Changes() *event.Feed[string] { return &g.gate }

func (p pool) Tools(_ context.Context, server string) ([]tool.Tool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names, ok := p.lists[server]
	if !ok {
		return nil, fmt.Errorf("upstream %q: %w", server, upstream.ErrNotListed)
	}
	var tools []tool.Tool
	for _, name := range names {
		tools = append(tools, tool.Tool{ID: tool.ID{Server: server, Name: name}})
	}
	return tools, nil
}

func (p pool) Others(_ context.Context, server string) ([]tool.Tool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names, ok := p.others[server]
	if !ok {
		return nil, fmt.Errorf("upstream %q: %w", server, upstream.ErrNotListed)
	}
	var list []tool.Tool
	for _, name := range names {
		list = append(list, tool.Tool{ID: tool.ID{Server: server, Kind: tool.Prompt, Name: name}})
	}
	return list, nil
}

func (g gate) AdmitOthers(_ context.Context, _ string, others []tool.Tool) (admitted []tool.Tool, held []quarantine.Record, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range others {
		if g.holds[t.ID.String()] {
			held = append(held, quarantine.Record{Tool: t})
		} else {
			admitted = append(admitted, t)
		}
	}
	return admitted, held, g.gateErr
}

func (g gate) Remembered(server string) ([]tool.Tool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []tool.Tool
	for _, name := range g.remembers[server] {
		list = append(list, tool.Tool{ID: tool.ID{Server: server, Kind: tool.Prompt, Name: name}})
	}
	return list, g.gateErr
}

func (w *world) Offer(server string, admitted []tool.Tool, held []tool.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var words []string
	for _, t := range admitted {
		words = append(words, t.ID.Name)
	}
	for _, id := range held {
		words = append(words, "-"+id.Name)
	}
	if w.shelf == nil {
		w.shelf = map[string]string{}
	}
	w.shelf[server] = strings.Join(words, " ")
}

func (g gate) Admit(ctx context.Context, server string, tools []tool.Tool) (admitted []tool.Tool, held []quarantine.Record, err error) {
	g.mu.Lock()
	if g.running[server]++; g.running[server] > 1 {
		panic("two syncs of " + server)
	}
	work := g.work
	g.mu.Unlock()
	n := g.together.Add(1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	if work > 0 {
		select {
		case <-time.After(work):
		case <-ctx.Done():
		}
	}
	g.together.Add(-1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[server]--
	if g.gateErr != nil {
		return nil, nil, g.gateErr
	}
	for _, t := range tools {
		if g.holds[t.ID.String()] {
			held = append(held, quarantine.Record{Tool: t})
		} else {
			admitted = append(admitted, t)
		}
	}
	return admitted, held, nil
}

func (x idx) Replace(_ context.Context, server string, tools []tool.Tool) (index.Delta, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.replaces++
	delete(x.indexed, server)
	for _, t := range tools {
		x.indexed[server] = append(x.indexed[server], t.ID.Name)
	}
	return index.Delta{Added: len(tools)}, x.indexErr
}

func (x idx) Remove(ctx context.Context, server string) error {
	_, err := x.Replace(ctx, server, nil)
	return err
}

func (x idx) Status() index.Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	st := index.Status{Servers: map[string]int{}}
	for name, tools := range x.indexed {
		st.Servers[name] = len(tools)
	}
	return st
}

// set changes the world under its lock.
func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// count returns how often the index was written.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replaces
}

// searchable returns "server:tool" of all that the index has.
func (w *world) searchable() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for server, names := range w.indexed {
		for _, name := range names {
			all = append(all, server+":"+name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func syncer(t *testing.T, w *world) *discovery.Syncer {
	return discovery.New(discovery.Options{Pool: pool{w}, Gate: gate{w}, Index: idx{w}, Shelf: w, Log: zaptest.NewLogger(t)})
}

// running runs f beside Run of a syncer, in fake time.
func running(t *testing.T, f func(t *testing.T, w *world, s *discovery.Syncer)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := syncer(t, w)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		f(t, w, s)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func want(t *testing.T, w *world, want string) {
	t.Helper()
	synctest.Wait()
	if got := w.searchable(); got != want {
		t.Errorf("searchable: %q, want %q", got, want)
	}
}

func TestSyncer_Run_FollowsPoolAndGate(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() { w.lists["a"] = []string{"x", "y"}; w.holds["a:y"] = true })
		w.pool.Publish("a")
		want(t, w, "a:x")
		if !s.Synced("a") || s.Synced("b") {
			t.Error("Synced is wrong")
		}
		w.set(func() { delete(w.holds, "a:y") })
		w.gate.Publish("a")
		want(t, w, "a:x a:y")
		w.set(func() { w.lists["a"] = nil })
		w.pool.Publish("a")
		want(t, w, "")
	})
}

func TestSyncer_Run_SeesEventsFromBeforeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := syncer(t, w)
		w.set(func() { w.lists["a"] = []string{"x"} })
		w.pool.Publish("a")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		want(t, w, "a:x")
		cancel()
		<-done
	})
}

func TestSyncer_Run_DownServerKeepsItsTools(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() { w.indexed["a"] = []string{"from-the-catalogue"} })
		w.pool.Publish("a") // it could not be reached
		want(t, w, "a:from-the-catalogue")
		if s.Synced("a") {
			t.Error("nothing was listed, yet it is synced")
		}
	})
}

func TestSyncer_Run_BurstIsMerged(t *testing.T) {
	running(t, func(t *testing.T, w *world, _ *discovery.Syncer) {
		w.set(func() { w.work = time.Second; w.lists["a"] = []string{"old"} })
		w.pool.Publish("a")
		synctest.Wait() // the first sync is under way, with the old list
		w.set(func() { w.lists["a"] = []string{"new"} })
		for range 1000 {
			w.pool.Publish("a")
			w.gate.Publish("a")
		}
		time.Sleep(3 * time.Second)
		want(t, w, "a:new")
		if n := w.count(); n > 3 {
			t.Errorf("%d syncs for one burst", n)
		}
	})
}

func TestSyncer_Run_FourServersAtOnce(t *testing.T) {
	running(t, func(t *testing.T, w *world, _ *discovery.Syncer) {
		w.set(func() {
			w.work = time.Second
			for i := range 20 {
				w.lists[fmt.Sprint(i)] = []string{"x"}
			}
		})
		for i := range 20 {
			w.pool.Publish(fmt.Sprint(i))
		}
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		if n := len(idx{w}.Status().Servers); n != 20 || w.most.Load() != 4 {
			t.Errorf("%d servers synced in 5 s, at most %d at once, want 20 and 4", n, w.most.Load())
		}
	})
}

func TestSyncer_Run_RetriesUntilItSucceeds(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() { w.lists["a"] = []string{"x"} })
		w.pool.Publish("a")
		want(t, w, "a:x")
		w.set(func() { w.gateErr = errors.New("disk full"); w.lists["a"] = []string{"x", "y"} })
		w.pool.Publish("a")
		time.Sleep(10 * time.Minute)
		want(t, w, "a:x") // what was admitted keeps serving
		w.set(func() { w.gateErr, w.indexErr = nil, errors.New("disk full") })
		time.Sleep(2 * time.Minute)
		want(t, w, "a:x a:y") // the index serves what it could not write
		w.set(func() { w.indexErr = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		n := w.count()
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.count() != n || !s.Synced("a") {
			t.Errorf("%d syncs after success", w.count()-n)
		}
	})
}

func TestSyncer_Prune_OnlyServingServersStay(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() {
			w.indexed = map[string][]string{"kept": {"x"}, "removed": {"x"}, "switched-off": {"x"}}
			w.lists["switched-off"] = []string{"x"}
		})
		if err := s.Prune(t.Context(), []string{"kept"}); err != nil {
			t.Fatal(err)
		}
		if got := w.searchable(); got != "kept:x" {
			t.Errorf("searchable: %q", got)
		}
		w.pool.Publish("switched-off") // a late event of its last run
		want(t, w, "kept:x")
		if err := s.Prune(t.Context(), []string{"kept", "switched-off"}); err != nil {
			t.Fatal(err)
		}
		want(t, w, "kept:x switched-off:x")
	})
}

func TestSyncer_Prune_WaitsForSyncUnderWay(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() { w.work = time.Second; w.lists["a"] = []string{"x"} })
		w.pool.Publish("a")
		synctest.Wait() // between Admit and Replace
		if err := s.Prune(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		want(t, w, "")
		if s.Synced("a") {
			t.Error("a server that may not serve is synced")
		}
	})
}

func TestSyncer_Prune_FailedWriteIsRepeated(t *testing.T) {
	running(t, func(t *testing.T, w *world, s *discovery.Syncer) {
		w.set(func() { w.indexed["a"] = []string{"x"}; w.indexErr = errors.New("disk full") })
		if err := s.Prune(t.Context(), nil); err != nil {
			t.Errorf("Prune = %v", err)
		}
		want(t, w, "")
		time.Sleep(time.Minute)
		w.set(func() { w.indexErr = nil })
		n := w.count()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if w.count() != n+1 {
			t.Errorf("%d writes after the disk came back, want 1", w.count()-n)
		}
	})
}
