package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

// aged makes the token at hand as old as if by had passed.
func (r *rig) aged(by time.Duration) {
	a, _ := r.account("srv")
	a.mu.Lock()
	defer a.mu.Unlock()
	t := *a.current.Load()
	t.Obtained, t.Expires = t.Obtained.Add(-by), t.Expires.Add(-by)
	t.plan()
	a.login().Token = &t
	a.current.Store(&t)
}

// settle waits for a refresh under way.
func (r *rig) settle(t *testing.T) {
	a, _ := r.account("srv")
	a.mu.Lock()
	under := a.refreshed
	a.mu.Unlock()
	if under != nil {
		_ = under.wait(t.Context())
	}
}

func (r *rig) warnings() (n int) {
	for _, e := range r.log.All() {
		if e.Level >= zapcore.WarnLevel {
			n++
		}
	}
	return n
}

func TestRefresh_OnceForAHundredCalls(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"expired": time.Hour + time.Second, "due": 55 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := newRig(t, w, nil)
			r.mustLogin(t)
			r.aged(age)
			var wg sync.WaitGroup
			var good atomic.Int32
			start := make(chan struct{})
			for range 100 {
				wg.Go(func() {
					<-start
					if status, err := r.call(t.Context()); status == http.StatusOK && err == nil {
						good.Add(1)
					}
				})
			}
			close(start)
			wg.Wait()
			r.settle(t)
			if good.Load() != 100 || w.refreshed.Load() != 1 {
				t.Errorf("%d of 100 calls succeeded with %d refreshes, want 100 with 1", good.Load(), w.refreshed.Load())
			}
			r.quiet(t)
		})
	}
}

// The server forgets the token before its time: 100 calls are answered 401 and
// sent once more after one refresh.
func TestRefresh_OnceForAHundredRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	r.mustLogin(t)
	r.aged(time.Minute)
	w.mu.Lock()
	w.access = map[string]bool{}
	w.mu.Unlock()
	var wg sync.WaitGroup
	var good atomic.Int32
	for range 100 {
		wg.Go(func() {
			if status, err := r.call(t.Context()); status == http.StatusOK && err == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 100 || w.refreshed.Load() != 1 {
		t.Errorf("%d of 100 calls succeeded with %d refreshes, want 100 with 1", good.Load(), w.refreshed.Load())
	}
}

func TestRefresh_FreshTokenThatIsRefusedIsNotRefreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRig(t, w, nil)
	r.mustLogin(t)
	w.mu.Lock()
	w.access = map[string]bool{}
	w.mu.Unlock()
	for range 3 {
		if status, _ := r.call(t.Context()); status != http.StatusUnauthorized {
			t.Errorf("call = %d, want 401", status)
		}
	}
	if n := w.refreshed.Load(); n != 0 {
		t.Errorf("%d refreshes", n)
	}
	if st := r.Status()[0]; st.State != Needed {
		t.Errorf("state = %s, want %s", st.State, Needed)
	}
	if n := r.warnings(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
}

// A refresh that is refused for good ends the login, which is said once.
func TestRefresh_LostLogins(t *testing.T) {
	t.Parallel()
	for name, bend := range map[string]func(w *world){
		"rotated token lost": func(w *world) { w.refreshes = map[string]bool{} },
		"invalid_client":     func(w *world) { w.clients = map[string][]string{} },
		"invalid_grant for ever": func(w *world) {
			w.token = func(_ url.Values, m map[string]any) int { clear(m); m["error"] = "invalid_grant"; return 400 }
		},
		"more rights": func(w *world) {
			w.token = func(_ url.Values, m map[string]any) int { m["scope"] = "read write admin"; return 0 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := newRig(t, w, nil)
			r.mustLogin(t)
			<-r.events
			r.aged(2 * time.Hour)
			w.mu.Lock()
			bend(w)
			w.mu.Unlock()
			for range 20 {
				if status, err := r.call(t.Context()); status != http.StatusUnauthorized || err != nil {
					t.Errorf("call = %d, %v, want 401", status, err)
				}
			}
			if n := w.refreshed.Load(); n > 1 {
				t.Errorf("%d refreshes, want 1", n)
			}
			if e := <-r.events; e.What != LoginNeeded || len(r.events) > 0 {
				t.Errorf("event = %+v and %d more", e, len(r.events))
			}
			if n := r.warnings(); n != 1 || len(r.opened) != 1 {
				t.Errorf("%d warnings and %d tabs, want 1 and the first", n, len(r.opened))
			}
			if st := r.Status()[0]; st.State != Needed {
				t.Errorf("state = %s, want %s", st.State, Needed)
			}
			w.token = nil
			w.mu.Lock()
			clear(w.routes)
			w.mu.Unlock()
			if err := r.Login(t.Context(), "srv", true, func(p Prompt) { go visit(t, p.URL) }); err != nil {
				t.Errorf("login afterwards: %v", err)
			}
			r.quiet(t)
		})
	}
}

// A token endpoint that fails for a while costs one request per pause, and the
// login goes on when it is back.
func TestRefresh_FailsForAWhile(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"500":        func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) },
		"cut":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no json":    func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) },
		"slow_down":  func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(429) },
		"moved away": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(404) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := newRig(t, w, nil)
			r.mustLogin(t)
			var tries atomic.Int32
			w.mu.Lock()
			w.routes["/token"] = func(rw http.ResponseWriter, req *http.Request) { tries.Add(1); fail(rw, req) }
			w.mu.Unlock()
			r.aged(2 * time.Hour)
			for range 20 {
				if _, err := r.call(t.Context()); err == nil || !strings.Contains(err.Error(), "token endpoint") {
					t.Errorf("call: %v, want it to say that the token endpoint fails", err)
				}
			}
			if tries.Load() != 1 {
				t.Errorf("%d tries, want 1", tries.Load())
			}
			if st := r.Status()[0]; st.State != Stale {
				t.Errorf("state = %s, want %s", st.State, Stale)
			}
			w.mu.Lock()
			clear(w.routes)
			w.mu.Unlock()
			a, _ := r.account("srv")
			a.mu.Lock()
			a.retryAt = time.Time{}
			a.mu.Unlock()
			if status, err := r.call(t.Context()); status != 200 || err != nil {
				t.Errorf("call afterwards = %d, %v", status, err)
			}
		})
	}
}

func TestToken_Life(t *testing.T) {
	t.Parallel()
	for range 100 {
		tok := newToken("a", "r", "", 1000)
		if at := tok.renew.Sub(tok.Obtained).Seconds(); at < 749 || at > 801 {
			t.Fatalf("refreshed after %.0f of 1000 s, want 750 to 800", at)
		}
	}
	if tok := newToken("a", "", "", 1000); !tok.renew.IsZero() {
		t.Error("a token without a refresh token is refreshed")
	}
	if tok := newToken("a", "r", "", 1e300); tok.Expires.Sub(tok.Obtained) != maxLife {
		t.Errorf("life = %s", tok.Expires.Sub(tok.Obtained))
	}
	for _, seconds := range []float64{0, -1} {
		if tok := newToken("a", "r", "", seconds); !tok.Expires.IsZero() || tok.due() || tok.expired() {
			t.Errorf("expires_in %v: %+v", seconds, tok)
		}
	}
}

// A clock that was set while the program was off neither ends a token at once
// nor makes it live longer than it was given.
func TestToken_Restored(t *testing.T) {
	t.Parallel()
	tok := newToken("a", "r", "", 3600)
	for name, c := range map[string]struct {
		shift   time.Duration // of the time written, against now
		least   time.Duration
		most    time.Duration
		expired bool
	}{
		"at once":                {0, 59 * time.Minute, time.Hour, false},
		"half an hour later":     {-30 * time.Minute, 29 * time.Minute, 31 * time.Minute, false},
		"clock set back a year":  {365 * 24 * time.Hour, 59 * time.Minute, time.Hour, false},
		"clock set ahead a year": {-365 * 24 * time.Hour, -366 * 24 * time.Hour, 0, true},
	} {
		kept := *tok
		kept.Obtained, kept.Expires = kept.Obtained.Add(c.shift).Round(0), kept.Expires.Add(c.shift).Round(0)
		r := kept.restored()
		if left := time.Until(r.Expires); left < c.least || left > c.most || r.expired() != c.expired {
			t.Errorf("%s: %s left", name, left)
		}
	}
}
