package upstream

import (
	"context"
	"fmt"
	"sync"
)

// freshness says whether a listing of a session covers every change that the
// server announced. Between list_changed and the listing after it no call may go
// out: what was approved may be there no more.
type freshness struct {
	mu        sync.Mutex
	announced int           // changes announced
	stale     chan struct{} // closed by the listing that covers them; nil while fresh
}

// announce notes a change. It never blocks for long.
func (f *freshness) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.announced++
	if f.stale == nil {
		f.stale = make(chan struct{})
	}
}

// begin returns what end needs to know of the listing that begins now.
func (f *freshness) begin() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.announced
}

// end notes that a listing was complete and is shown. A change that was
// announced while it ran needs another one.
func (f *freshness) end(began int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stale != nil && f.announced == began {
		close(f.stale)
		f.stale = nil
	}
}

// wait returns the channel that the next covering listing closes, nil while
// fresh.
func (f *freshness) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stale
}

// settled returns true at once if the listing of v that f speaks of covers what
// the server announced. Else it waits until that, or v, is out of date: the caller
// looks again.
func (s *server) settled(ctx context.Context, v *view, f *freshness) (bool, error) {
	stale := f.wait()
	if stale == nil {
		return true, nil
	}
	select {
	case <-stale:
	case <-v.session.gone:
	case <-s.stopped:
		return false, errReplaced
	case <-ctx.Done():
		return false, fmt.Errorf("upstream %q said that what it offers changed and was not listed again yet: %w", s.spec.Name, context.Cause(ctx))
	}
	return false, nil
}
