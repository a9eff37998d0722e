package usage

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"
)

// at returns a Usage whose clock the caller moves.
func at(t time.Time) (*Usage, *time.Time) {
	u := New()
	u.now = func() time.Time { return t }
	return u, &t
}

func TestUsage_ByHourAndToday(t *testing.T) {
	t.Parallel()
	u, now := at(time.Date(2026, 3, 1, 22, 59, 0, 0, time.UTC))
	u.Listed()
	u.Searched(time.Millisecond, 100)
	u.Called("a", 2*time.Millisecond, false)
	*now = now.Add(2 * time.Hour) // 00:59 of the next day
	u.Called("a", 2*time.Millisecond, true)
	u.Refused()
	hours := u.Hours(24)
	if len(hours) != 24 || hours[23].Calls != 1 || hours[23].Failed != 1 || hours[23].Refused != 1 || hours[22] != (Hour{Start: hours[22].Start}) {
		t.Errorf("the last hours are %+v", hours[22:])
	}
	if h := hours[21]; h.Calls != 1 || h.Searches != 1 || h.Found != 100 || h.Listings != 1 || h.Start.Hour() != 22 {
		t.Errorf("two hours ago: %+v", h)
	}
	if d := u.Today(time.UTC); d.Calls != 1 || d.Searches != 0 {
		t.Errorf("today in UTC: %+v", d)
	}
	if d := u.Today(time.FixedZone("west", -3*3600)); d.Calls != 2 || d.Searches != 1 {
		t.Errorf("today three hours west: %+v", d)
	}
	*now = now.Add(keptHours * time.Hour)
	if d := u.Hours(keptHours); d[0].Calls != 0 || d[keptHours-1].Calls != 0 {
		t.Errorf("two days later: %+v", d)
	}
}

func TestUsage_SurvivesARestart(t *testing.T) {
	t.Parallel()
	u, now := at(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	u.Called("gone", time.Millisecond, false)
	u.Called("a", time.Millisecond, true)
	u.Searched(time.Millisecond, 10)
	u.Forget(map[string]bool{"a": true})
	again, _ := at(now.Add(time.Hour))
	again.Load(u.Saved())
	if !reflect.DeepEqual(again.Saved(), u.Saved()) {
		t.Errorf("after a restart: %+v, before: %+v", again.Saved(), u.Saved())
	}
	again.Called("a", time.Millisecond, false)
	if s := again.Servers(); len(s) != 1 || s["a"].Calls != 2 || s["a"].Failed != 1 {
		t.Errorf("servers: %+v", s)
	}
	old, _ := at(now.Add(100 * time.Hour))
	old.Load(u.Saved())
	if s := old.Saved(); len(s.Hours) != 0 {
		t.Errorf("hours of four days ago: %+v", s.Hours)
	}
}

func TestUsage_Concurrent(t *testing.T) {
	t.Parallel()
	u := New()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				u.Called(fmt.Sprint("s", i%3), time.Microsecond, false)
				u.Hours(24)
			}
		})
	}
	wg.Wait()
	var sum int64
	for _, h := range u.Hours(2) {
		sum += h.Calls
	}
	if sum != 8000 {
		t.Errorf("%d calls, want 8000", sum)
	}
}

func TestUsage_BoundsNames(t *testing.T) {
	t.Parallel()
	u := New()
	for i := range maxServers + 10 {
		u.Called(fmt.Sprint(i), time.Microsecond, false)
	}
	if n := len(u.Servers()); n != maxServers {
		t.Errorf("%d names, want %d", n, maxServers)
	}
}

func TestLatency_Quantiles(t *testing.T) {
	t.Parallel()
	var l latency
	if l.quantile(0.5) != 0 || l.mean() != 0 {
		t.Error("nothing has a quantile")
	}
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.95: 950 * time.Millisecond} {
		if got := l.quantile(q); got < want*8/9 || got > want*9/8 {
			t.Errorf("quantile(%v) = %v, want %v within a ninth", q, got, want)
		}
	}
	if m := l.mean(); m != 500500*time.Microsecond {
		t.Errorf("mean = %v", m)
	}
}

func TestLatency_BucketsHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	for range 10_000 {
		us := rand.Uint64N(1 << rand.IntN(39))
		d := max(time.Duration(us)*time.Microsecond, time.Microsecond)
		m := middle(bucketOf(max(us, 1)))
		if us >= 8 && (m < d*8/9 || m > d*9/8) {
			t.Fatalf("%v is in the bucket of %v", d, m)
		}
	}
	for _, d := range []time.Duration{-1, 0, 1 << 62} {
		new(latency).add(d)
	}
}

func BenchmarkCalled(b *testing.B) {
	u := New()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			u.Called("a", time.Millisecond, false)
		}
	})
}
