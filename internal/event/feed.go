// Package event is a feed of keys that never blocks its publisher and never
// drops a key.
//
// An event says "look again at this", never "here is the data": the consumer
// re-reads the source. Equal keys that wait are therefore merged, and a
// repeated event is harmless.
package event

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is returned by [Subscription.Next] after Close.
var ErrClosed = errors.New("subscription closed")

// Feed distributes keys to its subscriptions. The zero value is ready to use.
// Safe for concurrent use.
type Feed[K comparable] struct {
	mu   sync.Mutex
	subs map[*Subscription[K]]struct{}
}

// Publish makes k pending in every current subscription. It never blocks.
func (f *Feed[K]) Publish(k K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		s.add(k)
	}
}

// Subscribe returns a subscription that sees every key published from now on.
// The caller must Close it.
func (f *Feed[K]) Subscribe() *Subscription[K] {
	s := &Subscription[K]{feed: f, pending: map[K]struct{}{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subs == nil {
		f.subs = map[*Subscription[K]]struct{}{}
	}
	f.subs[s] = struct{}{}
	return s
}

// Subscription holds the keys that its consumer has not taken yet, each once,
// oldest first. One goroutine consumes it.
type Subscription[K comparable] struct {
	feed    *Feed[K]
	mu      sync.Mutex
	order   []K
	pending map[K]struct{}
	wake    chan struct{}
	done    chan struct{}
	once    sync.Once
}

func (s *Subscription[K]) add(k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waits := s.pending[k]; waits {
		return
	}
	s.pending[k] = struct{}{}
	s.order = append(s.order, k)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next takes the oldest pending key, waiting for one. It returns ctx.Err() when
// ctx ends and [ErrClosed] after Close.
func (s *Subscription[K]) Next(ctx context.Context) (K, error) {
	for {
		if k, ok := s.take(); ok {
			return k, nil
		}
		var zero K
		select {
		case <-s.wake:
		case <-ctx.Done():
			return zero, ctx.Err()
		case <-s.done:
			return zero, ErrClosed
		}
	}
}

func (s *Subscription[K]) take() (k K, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == 0 {
		return k, false
	}
	k = s.order[0]
	s.order = s.order[1:]
	delete(s.pending, k)
	return k, true
}

// Close ends the subscription. It is idempotent.
func (s *Subscription[K]) Close() {
	s.once.Do(func() {
		s.feed.mu.Lock()
		delete(s.feed.subs, s)
		s.feed.mu.Unlock()
		close(s.done)
	})
}
