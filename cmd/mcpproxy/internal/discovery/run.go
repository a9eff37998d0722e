package discovery

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"mcpproxy/internal/event"
)

// parallel is how many servers are synced at once. Most of a sync is hashing
// and one fsync, which concurrent syncs share.
const parallel = 4

// Back-off of a server whose sync failed.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// Run syncs every server that the pool or the gate names, until ctx ends; then
// it waits for what is under way and returns nil. No two syncs of one server run
// at once, and events that come during one lead to one more. A sync that failed
// is tried again with back-off until it succeeds. Run must not run twice.
func (s *Syncer) Run(ctx context.Context) error {
	defer s.work.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, events := range s.events {
		wg.Go(func() {
			defer events.Close()
			s.forward(ctx, events)
		})
	}
	slots := make(chan struct{}, parallel)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		name, err := s.work.Next(ctx)
		if err != nil {
			return nil
		}
		if !s.begin(name) {
			<-slots
			continue
		}
		wg.Go(func() {
			err := s.Sync(ctx, name)
			<-slots
			s.end(ctx, name, err)
		})
	}
}

func (s *Syncer) forward(ctx context.Context, events *event.Subscription[string]) {
	for {
		name, err := events.Next(ctx)
		if err != nil {
			return
		}
		s.queue.Publish(name)
	}
}

// begin reports whether the server is free; if not, it will be synced again.
func (s *Syncer) begin(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sv := s.locked(name)
	if sv.busy {
		sv.again = true
		return false
	}
	sv.busy, sv.again = true, false
	return true
}

// end frees the server and sees to it that what is still to do is done.
func (s *Syncer) end(ctx context.Context, name string, err error) {
	s.mu.Lock()
	sv := s.locked(name)
	sv.busy = false
	again := sv.again
	var delay time.Duration
	if err == nil {
		sv.retry = nil
	} else {
		if sv.retry == nil {
			sv.retry = backoff.NewExponentialBackOff()
			sv.retry.InitialInterval, sv.retry.MaxInterval = firstRetry, lastRetry
		}
		delay = sv.retry.NextBackOff()
	}
	s.mu.Unlock()
	if again {
		s.queue.Publish(name)
		return
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	s.opt.Log.Error("tools not synced", zap.String("server", name), zap.Duration("retry_in", delay), zap.Error(err))
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		s.queue.Publish(name)
	case <-ctx.Done():
	}
}
