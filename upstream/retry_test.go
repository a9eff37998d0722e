package upstream

import (
	"testing"
	"time"
)

func TestRetry_Next_DoublesWithFullJitter(t *testing.T) {
	t.Parallel()
	timing := Timing{}.withDefaults()
	r := newRetry(timing)
	var low, high int
	for round := range 200 {
		r.reset()
		for i, step := 0, time.Second; i < 12; i, step = i+1, min(2*step, 5*time.Minute) {
			d := r.next()
			if d < 0 || d > step {
				t.Fatalf("round %d: delay %d = %s, want 0..%s", round, i, d, step)
			}
			if d < step/10 {
				low++
			}
			if d > step*9/10 {
				high++
			}
		}
	}
	if low < 120 || high < 120 { // 240 each on average
		t.Errorf("%d delays near 0, %d near the step of 2400: no full jitter", low, high)
	}
}

func TestSchedule_Due(t *testing.T) {
	t.Parallel()
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name            string
		changed, called bool
		early           time.Duration
		want            time.Duration
	}{
		{name: "idle", want: 5 * time.Minute},
		{name: "called", called: true, want: time.Minute},
		{name: "changed", changed: true, want: time.Second},
		{name: "changed and called", changed: true, called: true, want: time.Second},
		{name: "remote", early: 2 * time.Second, want: 2 * time.Second},
	} {
		s := schedule{t: Timing{}.withDefaults(), last: start, changed: c.changed}
		if c.early > 0 {
			s.early = start.Add(c.early)
		}
		if got := s.due(c.called).Sub(start); got != c.want {
			t.Errorf("%s: due in %s, want %s", c.name, got, c.want)
		}
		s.begin(start.Add(c.want))
		if s.changed || !s.early.IsZero() {
			t.Errorf("%s: begin left changed %v, early %v", c.name, s.changed, s.early)
		}
	}
}
