// Package discovery carries what upstreams list through the gate: tools into the
// index, everything else onto the shelf that agents see.
//
// An event names a server; the [Syncer] reads its listing, asks the gate what
// of it may be seen, and makes exactly that searchable. A server that may run
// and is merely down keeps its tools: the catalogue remembers them and a call
// reconnects. A server that is switched off, held or removed loses them.
package discovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"mcpproxy/index"
	"mcpproxy/internal/event"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
	"mcpproxy/upstream"
)

// Lister knows what each server listed last. Tools, and Others for everything
// else, return an error wrapping [upstream.ErrNotListed] or [upstream.ErrUnknown]
// where there is nothing.
type Lister interface {
	Tools(ctx context.Context, server string) ([]tool.Tool, error)
	Others(ctx context.Context, server string) ([]tool.Tool, error)
	Changes() *event.Feed[string]
}

// Admitter decides what of a listing may be seen.
type Admitter interface {
	Admit(ctx context.Context, server string, tools []tool.Tool) ([]tool.Tool, []quarantine.Record, error)
	AdmitOthers(ctx context.Context, server string, others []tool.Tool) ([]tool.Tool, []quarantine.Record, error)
	// Remembered returns what AdmitOthers would admit of the approved definitions.
	Remembered(server string) ([]tool.Tool, error)
	Changes() *event.Feed[string]
}

// Index is what agents search.
type Index interface {
	Replace(ctx context.Context, server string, tools []tool.Tool) (index.Delta, error)
	Remove(ctx context.Context, server string) error
	Status() index.Status
}

// Shelf is where agents find what is no tool. held is what waits of the server.
type Shelf interface {
	Offer(server string, admitted []tool.Tool, held []tool.ID)
}

// Options is what a Syncer stands on. All but Log are needed.
type Options struct {
	Pool  Lister
	Gate  Admitter
	Index Index
	Shelf Shelf
	Log   *zap.Logger // nil discards
}

// Syncer keeps the index in step with the upstreams. Safe for concurrent use.
type Syncer struct {
	opt   Options
	queue event.Feed[string]
	// work is the queue's, events are the pool's and the gate's. Run closes
	// them; made by New so that what happens before Run is not missed.
	work   *event.Subscription[string]
	events []*event.Subscription[string]

	mu      sync.Mutex
	servers map[string]*server  // never shrinks; a name is a few bytes
	serving map[string]struct{} // by the last Prune; nil before: all
}

// server is one name. Its turn is taken by whoever changes its part of the
// index; the other fields are guarded by Syncer.mu.
type server struct {
	turn    chan struct{} // holds one token while it is taken
	busy    bool          // Run works on it
	again   bool          // an event came meanwhile
	synced  bool
	shelved bool // likewise, what is no tool
	held    int
	retry   *backoff.ExponentialBackOff // nil after a success
}

// take waits for the server's turn, at most until ctx ends.
func (sv *server) take(ctx context.Context) error {
	select {
	case sv.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (sv *server) release() { <-sv.turn }

// New returns a Syncer that does nothing before Run, Sync or Prune but notes
// what changes.
func New(opt Options) *Syncer {
	if opt.Log == nil {
		opt.Log = zap.NewNop()
	}
	s := &Syncer{opt: opt, servers: map[string]*server{}}
	s.work = s.queue.Subscribe()
	s.events = []*event.Subscription[string]{opt.Pool.Changes().Subscribe(), opt.Gate.Changes().Subscribe()}
	return s
}

// Sync makes the index hold exactly what the gate admits of the server's last
// listing. A server that was not listed yet keeps what the index has of it, one
// that [Syncer.Prune] did not name loses it. If it returns an error the tools
// that were searchable before still are, and what the gate holds is refused at
// the call.
func (s *Syncer) Sync(ctx context.Context, name string) error {
	sv := s.server(name)
	if err := sv.take(ctx); err != nil {
		return err
	}
	defer sv.release()
	if !s.serves(name) {
		return s.remove(ctx, name, sv)
	}
	if err := errors.Join(s.syncTools(ctx, name, sv), s.syncOthers(ctx, name, sv)); err != nil {
		return fmt.Errorf("sync %q: %w", name, err)
	}
	return nil
}

// syncTools is Sync for tools. The caller has the server's turn.
func (s *Syncer) syncTools(ctx context.Context, name string, sv *server) error {
	tools, err := s.opt.Pool.Tools(ctx, name)
	if err != nil {
		return unlessUnlisted(err)
	}
	admitted, held, err := s.opt.Gate.Admit(ctx, name, tools)
	if err != nil {
		return err
	}
	delta, err := s.opt.Index.Replace(ctx, name, admitted)
	s.report(name, sv, delta, len(held))
	return err
}

// syncOthers is Sync for everything else. The caller has the server's turn.
func (s *Syncer) syncOthers(ctx context.Context, name string, sv *server) error {
	others, err := s.opt.Pool.Others(ctx, name)
	if err != nil {
		if unlessUnlisted(err) == nil {
			return s.remember(name, sv)
		}
		return err
	}
	admitted, held, err := s.opt.Gate.AdmitOthers(ctx, name, others)
	if err != nil {
		return err
	}
	ids := make([]tool.ID, len(held))
	for i, r := range held {
		ids[i] = r.Tool.ID
	}
	s.opt.Shelf.Offer(name, admitted, ids)
	s.shelved(sv, true)
	return nil
}

// remember offers what was approved of a server that was not listed since it may
// serve. The caller has its turn.
func (s *Syncer) remember(name string, sv *server) error {
	if s.shelved(sv, true) {
		return nil
	}
	list, err := s.opt.Gate.Remembered(name)
	if err != nil {
		s.shelved(sv, false)
		return err
	}
	if len(list) > 0 {
		s.opt.Shelf.Offer(name, list, nil)
	}
	return nil
}

// shelved notes whether the shelf has what it can have of the server, and returns
// what was noted before.
func (s *Syncer) shelved(sv *server, now bool) (before bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, sv.shelved = sv.shelved, now
	return before
}

func unlessUnlisted(err error) error {
	if errors.Is(err, upstream.ErrNotListed) || errors.Is(err, upstream.ErrUnknown) {
		return nil
	}
	return err
}

// report marks the server as synced and logs what a user would want to know.
func (s *Syncer) report(name string, sv *server, delta index.Delta, held int) {
	s.mu.Lock()
	before := sv.held
	sv.synced, sv.held = true, held
	s.mu.Unlock()
	if delta.Added+delta.Changed+delta.Removed > 0 || held != before {
		s.opt.Log.Info("tools synced", zap.String("server", name), zap.Int("added", delta.Added),
			zap.Int("changed", delta.Changed), zap.Int("removed", delta.Removed), zap.Int("held", held))
	}
}

// remove takes the server out of the index. The caller has its turn.
func (s *Syncer) remove(ctx context.Context, name string, sv *server) error {
	s.mu.Lock()
	sv.synced, sv.shelved, sv.held = false, false, 0
	s.mu.Unlock()
	s.opt.Shelf.Offer(name, nil, nil)
	if err := s.opt.Index.Remove(ctx, name); err != nil {
		return fmt.Errorf("remove %q from the index: %w", name, err)
	}
	return nil
}

// Synced reports whether a listing of the server went through the gate into the
// index since it was last allowed to serve.
func (s *Syncer) Synced(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sv := s.servers[name]
	return sv != nil && sv.synced
}

// Prune says which servers may serve: configured, enabled and approved. When it
// returns no other server is searchable, and none becomes so before a Prune
// that names it. What cannot be written is tried again while Run runs; the
// error is that of ctx.
func (s *Syncer) Prune(ctx context.Context, serving []string) error {
	set := make(map[string]struct{}, len(serving))
	for _, name := range serving {
		set[name] = struct{}{}
	}
	s.mu.Lock()
	before := s.serving
	s.serving = set
	gone := maps.Clone(s.servers) // a sync under way may be about to add it
	s.mu.Unlock()
	for name := range s.opt.Index.Status().Servers {
		gone[name] = s.server(name)
	}
	for name, sv := range gone {
		if _, serves := set[name]; serves {
			continue
		}
		if err := s.removeUnless(ctx, name, sv); err != nil && ctx.Err() == nil {
			s.opt.Log.Error("index not written", zap.String("server", name), zap.Error(err))
			s.queue.Publish(name)
		}
	}
	for name := range set {
		if _, served := before[name]; !served {
			s.queue.Publish(name) // its listing may be there already
		}
	}
	return ctx.Err()
}

// removeUnless removes the server unless a later Prune named it meanwhile.
func (s *Syncer) removeUnless(ctx context.Context, name string, sv *server) error {
	if err := sv.take(ctx); err != nil {
		return err
	}
	defer sv.release()
	if s.serves(name) {
		return nil
	}
	return s.remove(ctx, name, sv)
}

func (s *Syncer) serves(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, serves := s.serving[name]
	return serves || s.serving == nil
}

func (s *Syncer) server(name string) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked(name)
}

// locked is server; the caller holds s.mu.
func (s *Syncer) locked(name string) *server {
	sv := s.servers[name]
	if sv == nil {
		sv = &server{turn: make(chan struct{}, 1)}
		s.servers[name] = sv
	}
	return sv
}
