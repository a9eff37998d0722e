package upstream

import (
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry is the back-off between tries to connect: t.Retry doubling to
// t.RetryMax, each with full jitter, so that servers which went down together
// do not come back in step.
type retry struct{ steps backoff.ExponentialBackOff }

func newRetry(t Timing) *retry {
	r := &retry{steps: backoff.ExponentialBackOff{InitialInterval: t.Retry, Multiplier: 2, MaxInterval: t.RetryMax}}
	r.steps.Reset()
	return r
}

// next returns a random delay between 0 and the current step and moves on to
// the next step.
func (r *retry) next() time.Duration {
	return rand.N(r.steps.NextBackOff() + 1) //nolint:gosec // jitter needs no secrecy
}

func (r *retry) reset() { r.steps.Reset() }

// schedule says when a ready server is to be listed again.
type schedule struct {
	t       Timing
	last    time.Time // when the last listing began
	changed bool      // list_changed came since
	early   time.Time // zero if no early listing is due
}

// due returns the time of the next listing; called says whether calls went to
// the server since the last.
func (s *schedule) due(called bool) time.Time {
	at := s.last.Add(s.t.Relist)
	if called {
		at = s.last.Add(min(s.t.Relist, s.t.RelistBusy))
	}
	if s.changed {
		at = s.last.Add(s.t.RelistGap)
	}
	if !s.early.IsZero() && s.early.Before(at) {
		at = s.early
	}
	return at
}

// begin notes that a listing begins now. What changes after that moment calls
// for another one.
func (s *schedule) begin(now time.Time) {
	s.last, s.changed = now, false
	if !s.early.After(now) {
		s.early = time.Time{}
	}
}
