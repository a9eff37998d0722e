package upstream_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// downDialer fails as long as down is set and counts its tries.
type downDialer struct {
	srv   *upstreamtest.Server
	mu    sync.Mutex
	down  error
	tries []time.Time
}

func (d *downDialer) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = err
}

func (d *downDialer) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tries)
}

func (d *downDialer) dial(ctx context.Context, s upstream.Spec, env upstream.DialEnv) (*upstream.Conn, error) {
	d.mu.Lock()
	d.tries = append(d.tries, time.Now())
	down := d.down
	d.mu.Unlock()
	if down != nil {
		return nil, down
	}
	return d.srv.Dialer()(ctx, s, env)
}

// downPool returns a pool whose server "a" is reached through d.
func downPool(t *testing.T, d *downDialer, s upstream.Spec) *upstream.Pool {
	t.Helper()
	if d.srv == nil {
		d.srv = &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 1)}}
	}
	p := newPool(t, nil, func(o *upstream.Options) {
		o.Dialers = map[string]upstream.Dialer{upstream.Stdio: d.dial, upstream.HTTP: d.dial, upstream.SSE: d.srv.Dialer()}
	})
	apply(t, p, s)
	return p
}

func TestPool_BackOff_GrowsToFiveMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{down: errors.New("refused")}
		p := downPool(t, d, stdio("a"))
		time.Sleep(24 * time.Hour)
		st := status(t, p, "a")
		// half of 5 min on average: 576 a day
		if n := d.count(); n < 400 || n > 800 {
			t.Errorf("%d tries in a day", n)
		}
		if st.State != upstream.BackingOff || st.NextTry.IsZero() || st.Error != "connect: refused" {
			t.Errorf("status = %+v", st)
		}
	})
}

func TestPool_BackOff_CallsShareOneReconnectASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{down: errors.New("refused")}
		p := downPool(t, d, stdio("a"))
		time.Sleep(time.Hour)
		before, began := d.count(), time.Now()
		var wg sync.WaitGroup
		for range 200 { // 10 s of 20 calls/s
			wg.Go(func() {
				began := time.Now()
				_, err := call(t, p, "a", "t")
				if !errors.Is(err, upstream.ErrUnavailable) || time.Since(began) > time.Second {
					t.Errorf("Call = %v after %s", err, time.Since(began))
				}
			})
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		if n := d.count() - before; n < 9 || n > 12 {
			t.Errorf("%d tries in %s of calls, want 1 a second", n, time.Since(began))
		}
		d.set(nil)
		began = time.Now()
		if _, err := call(t, p, "a", "t"); err != nil || time.Since(began) > time.Second {
			t.Errorf("Call = %v after %s, want success within 1s", err, time.Since(began))
		}
	})
}

func TestPool_BackOff_LostServerComesBackByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{}
		p := downPool(t, d, stdio("a"))
		time.Sleep(time.Minute)
		for range 50 {
			d.srv.Kill()
			synctest.Wait()
			if st := status(t, p, "a"); st.State != upstream.BackingOff || toolNames(t, p, "a") != "t0" {
				t.Fatalf("status = %+v", st)
			}
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if st := status(t, p, "a"); st.State != upstream.Ready {
				t.Fatalf("status 1 s later = %+v", st)
			}
			time.Sleep(30 * time.Second) // resets the back-off
		}
	})
}

func TestPool_BackOff_CrashLoopIsNotReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{}
		_ = downPool(t, d, stdio("a"))
		for range 3600 { // never answers a call, never stays for 30 s
			time.Sleep(time.Second)
			d.srv.Kill()
		}
		if n := d.count(); n > 80 {
			t.Errorf("%d tries in an hour of crashes", n)
		}
	})
}

func TestPool_Failed_WaitsForRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{down: errors.Join(upstream.ErrConfig, errors.New("no such command"))}
		p := downPool(t, d, stdio("a"))
		time.Sleep(24 * time.Hour)
		if st := status(t, p, "a"); st.State != upstream.Failed || d.count() != 1 {
			t.Errorf("status = %+v after %d tries", st, d.count())
		}
		if _, err := call(t, p, "a", "t"); !errors.Is(err, upstream.ErrUnavailable) || !errors.Is(err, upstream.ErrConfig) {
			t.Errorf("Call = %v", err)
		}
		d.set(nil)
		if err := p.Restart(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := call(t, p, "a", "t"); err != nil {
			t.Errorf("Call after restart = %v", err)
		}
	})
}

func TestPool_Connect_FallsBackToSSE(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &downDialer{down: upstream.ErrNotStreamable}
		p := downPool(t, d, upstream.Spec{Name: "a", Transport: upstream.HTTP, SSEFallback: true})
		synctest.Wait()
		if st := status(t, p, "a"); st.State != upstream.Ready || st.Transport != upstream.SSE {
			t.Errorf("status = %+v", st)
		}
		apply(t, p, upstream.Spec{Name: "a", Transport: upstream.HTTP})
		synctest.Wait()
		if st := status(t, p, "a"); st.State != upstream.BackingOff {
			t.Errorf("status without fallback = %+v", st)
		}
	})
}
