package upstream

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mcpproxy/internal/event"
	"mcpproxy/internal/tool"
)

// stopTime is how long Close waits for the servers, which stop side by side.
const stopTime = 15 * time.Second

// Pool keeps the running set of servers. Safe for concurrent use.
type Pool struct {
	opt     Options
	changes event.Feed[string]
	servers atomic.Pointer[map[string]*server] // immutable snapshot
	starts  chan struct{}

	mu      sync.Mutex                 // Apply, Restart, List and Close
	last    map[string]<-chan struct{} // end of the last server of each name
	closing chan struct{}
	closed  bool
	wg      sync.WaitGroup
}

// NewPool returns an empty pool. The caller must Close it.
func NewPool(opt Options) *Pool {
	p := &Pool{opt: opt.withDefaults(), last: map[string]<-chan struct{}{}, closing: make(chan struct{})}
	p.starts = make(chan struct{}, p.opt.Starts)
	p.servers.Store(&map[string]*server{})
	return p
}

// Apply makes the running set equal specs. Only servers whose Spec changed are
// touched; one that changed starts when its predecessor has ended. Apply never
// waits for a server. It returns an error and changes nothing if a name is
// empty or occurs twice.
func (p *Pool) Apply(ctx context.Context, specs []Spec) error {
	names := map[string]bool{}
	for _, s := range specs {
		if s.Name == "" || names[s.Name] {
			return fmt.Errorf("%w: server name %q is empty or taken", ErrConfig, s.Name)
		}
		names[s.Name] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	old := *p.servers.Load()
	next := make(map[string]*server, len(specs))
	var fresh []*server
	for _, spec := range specs {
		if s, ok := old[spec.Name]; ok && reflect.DeepEqual(s.spec, spec) {
			next[spec.Name] = s
			continue
		}
		s := newServer(ctx, p, spec, nil)
		next[spec.Name] = s
		fresh = append(fresh, s)
	}
	p.servers.Store(&next)
	for name, s := range old {
		if next[name] != s {
			s.stop()
			p.changes.Publish(name)
		}
	}
	for _, s := range fresh {
		p.start(s)
	}
	return nil
}

// start runs s after its predecessor; p.mu is held.
func (p *Pool) start(s *server) {
	name := s.spec.Name
	before := p.last[name]
	p.last[name] = s.done
	p.wg.Go(func() {
		s.begin(before)
		p.forget(name, s)
	})
	p.changes.Publish(name)
}

// forget drops the record of an ended server that has no successor.
func (p *Pool) forget(name string, s *server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last[name] == s.done {
		delete(p.last, name)
	}
}

// Restart stops the server and starts it anew, with fresh back-off; it does not
// wait for either. Its last listing stays visible. It returns an error wrapping
// [ErrUnknown], or [ErrUnavailable] if the server is disabled or held.
func (p *Pool) Restart(ctx context.Context, server string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, err := p.lookup(server)
	if err != nil {
		return err
	}
	v := old.view.Load()
	if st := v.status.State; st == Disabled || st == Held {
		return unavailable(server, st, v.cause)
	}
	s := newServer(ctx, p, old.spec, v)
	next := maps.Clone(*p.servers.Load())
	next[server] = s
	p.servers.Store(&next)
	old.stop()
	p.start(s)
	return nil
}

// Relist has the server listed anew, beside its calls and not before the least
// time between listings is over. An unknown one is nothing to do.
func (p *Pool) Relist(server string) {
	if s, err := p.lookup(server); err == nil {
		poke(s.relist)
		poke(s.beside.relist)
	}
}

// lookup returns the server with that name.
func (p *Pool) lookup(name string) (*server, error) {
	if s, ok := (*p.servers.Load())[name]; ok {
		return s, nil
	}
	select {
	case <-p.closing:
		return nil, ErrClosed
	default:
		return nil, fmt.Errorf("upstream %q: %w", name, ErrUnknown)
	}
}

// Status describes all servers, sorted by name. The slice is the caller's.
func (p *Pool) Status() []Status {
	servers := *p.servers.Load()
	out := make([]Status, 0, len(servers))
	for _, s := range servers {
		out = append(out, s.view.Load().status)
	}
	slices.SortFunc(out, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Tools returns the last complete listing of a server in the server's order. It
// does not wait. The slice is the caller's, the tools are shared. The error
// wraps [ErrUnknown] or [ErrNotListed].
func (p *Pool) Tools(_ context.Context, server string) ([]tool.Tool, error) {
	return p.listed(server, func(v *view) *listing { return v.listing })
}

// Others is [Pool.Tools] for everything else: prompts, resources, resource
// templates and the server's instructions. It is listed after the tools.
func (p *Pool) Others(_ context.Context, server string) ([]tool.Tool, error) {
	return p.listed(server, func(v *view) *listing { return v.others })
}

func (p *Pool) listed(server string, which func(*view) *listing) ([]tool.Tool, error) {
	s, err := p.lookup(server)
	if err != nil {
		return nil, err
	}
	v := s.view.Load()
	l := which(v)
	if l == nil {
		return nil, fmt.Errorf("upstream %q is %s: %w", server, v.status.State, ErrNotListed)
	}
	return slices.Clone(l.tools), nil
}

// Changes tells the names of servers whose listings or state may differ.
func (p *Pool) Changes() *event.Feed[string] { return &p.changes }

// List starts s on its own, whatever runs under its name, held or not, lists it
// once, tools first and then everything else, and stops it; nothing is left behind when it returns. trace, which may
// be nil, sees each frame, one at a time: dir is "->" to the server or "<-".
func (p *Pool) List(ctx context.Context, s Spec, trace func(dir string, frame []byte)) ([]tool.Tool, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.wg.Add(1)
	p.mu.Unlock()
	defer p.wg.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.wg.Go(func() {
		select {
		case <-p.closing:
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	})
	opt := p.opt
	opt.Trace = nil
	if trace != nil {
		opt.Trace = func(_, dir string, frame []byte) { trace(dir, frame) }
	}
	tools, err := opt.listOnce(ctx, s)
	if err != nil {
		return nil, p.opt.Dial.clean(fmt.Errorf("upstream %q: %w", s.Name, err))
	}
	return tools, nil
}

// Close stops all servers and waits for them, at most 15 s. Later calls return
// [ErrClosed].
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
		for _, s := range *p.servers.Load() {
			s.stop()
		}
		p.servers.Store(&map[string]*server{})
	}
	p.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(idle)
	}()
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-idle:
		return nil
	case <-timer.C:
		return fmt.Errorf("some servers did not stop within %s", stopTime)
	}
}
