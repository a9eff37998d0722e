package event_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"mcpproxy/internal/event"
)

// drain takes n keys, which must be there already.
func drain[K comparable](t *testing.T, s *event.Subscription[K], n int) []K {
	t.Helper()
	var keys []K
	for range n {
		k, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

// empty reports whether nothing is pending.
func empty[K comparable](s *event.Subscription[K]) bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Next(ctx)
	return errors.Is(err, context.Canceled)
}

func TestFeed_MergesAndKeepsOrder(t *testing.T) {
	t.Parallel()
	var f event.Feed[string]
	s := f.Subscribe()
	defer s.Close()
	for range 1000 { // nobody consumes, yet Publish does not block
		for _, k := range []string{"b", "a", "c"} {
			f.Publish(k)
		}
	}
	if got := drain(t, s, 3); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("keys = %v, want b a c", got)
	}
	if !empty(s) {
		t.Error("a merged key came twice")
	}
	f.Publish("a")
	if got := drain(t, s, 1); got[0] != "a" {
		t.Errorf("a key that was taken does not come again: %v", got)
	}
}

func TestFeed_EverySubscriptionSeesEveryKey(t *testing.T) {
	t.Parallel()
	var f event.Feed[int]
	f.Publish(0) // nobody listens
	first, second := f.Subscribe(), f.Subscribe()
	f.Publish(1)
	third := f.Subscribe()
	f.Publish(2)
	for name, tt := range map[string]struct {
		s    *event.Subscription[int]
		want []int
	}{"first": {first, []int{1, 2}}, "second": {second, []int{1, 2}}, "third": {third, []int{2}}} {
		if got := drain(t, tt.s, len(tt.want)); !slices.Equal(got, tt.want) || !empty(tt.s) {
			t.Errorf("%s saw %v, want %v", name, got, tt.want)
		}
		tt.s.Close()
	}
}

func TestSubscription_Next_WakesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f event.Feed[string]
		s := f.Subscribe()
		defer s.Close()
		got := make(chan string)
		go func() {
			k, _ := s.Next(t.Context())
			got <- k
		}()
		synctest.Wait() // Next waits
		f.Publish("a")
		if k := <-got; k != "a" {
			t.Errorf("Next = %q", k)
		}
	})
}

func TestSubscription_Next_EndsWithContextOrClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f event.Feed[string]
		s := f.Subscribe()
		errs := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		next := func() { _, err := s.Next(ctx); errs <- err }
		go next()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("Next = %v, want Canceled", err)
		}
		ctx = t.Context()
		go next()
		synctest.Wait()
		s.Close()
		if err := <-errs; !errors.Is(err, event.ErrClosed) {
			t.Errorf("Next = %v, want ErrClosed", err)
		}
		s.Close() // again is no harm
		f.Publish("a")
		if _, err := s.Next(ctx); !errors.Is(err, event.ErrClosed) {
			t.Errorf("a closed subscription got a key: %v", err)
		}
	})
}

func TestFeed_NothingIsLostInParallel(t *testing.T) {
	t.Parallel()
	var f event.Feed[string]
	s := f.Subscribe()
	defer s.Close()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				f.Publish(fmt.Sprintf("%d-%d", i, j))
			}
		})
	}
	seen := map[string]int{}
	for range 8 * 500 {
		k, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen[k]++
	}
	wg.Wait()
	if len(seen) != 8*500 || !empty(s) {
		t.Errorf("saw %d keys, want %d", len(seen), 8*500)
	}
}
