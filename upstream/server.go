package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// errReplaced reports that a server was stopped or replaced before a call was
// sent.
var errReplaced = errors.New("replaced")

// server is one upstream under one Spec. Its loop, run, writes view, and beside it
// the loop that lists what is no tool; everything else is safe for concurrent use.
type server struct {
	spec    Spec
	opt     *Options
	log     *zap.Logger
	publish func()        // tools or state may differ
	starts  chan struct{} // slots of booting children, shared by the pool
	slots   chan struct{} // calls at once

	view    atomic.Pointer[view]
	showing sync.Mutex    // the writers of view take turns
	called  atomic.Bool   // a call was sent since the last listing
	nudge   chan struct{} // called became true
	relist  chan struct{} // list_changed came
	wake    chan struct{} // a call wants a reconnect now
	beside  beside        // the same for what is no tool

	begin   func(after <-chan struct{}) // run, until stop
	stop    context.CancelFunc
	stopped <-chan struct{} // closed by stop
	done    chan struct{}   // closed when run has ended and nothing is left behind
}

// view is what the world sees of a server. Immutable but for replaced.
type view struct {
	status   Status
	cause    error         // behind status.Error
	listing  *listing      // of the tools, the last complete one; nil before the first
	others   *listing      // of everything else; nil before the first
	session  *session      // only if Ready
	replaced chan struct{} // closed when another view took its place
}

// newServer returns a server that waits for begin. It lives until stop, not
// until ctx ends. old, which may be nil, is the listing it shows until its own.
func newServer(ctx context.Context, p *Pool, spec Spec, old *view) *server {
	s := &server{
		spec: spec, opt: &p.opt, starts: p.starts, log: p.opt.Log.With(zap.String("server", spec.Name)),
		publish: func() { p.changes.Publish(spec.Name) },
		slots:   make(chan struct{}, p.opt.Calls),
		nudge:   make(chan struct{}, 1), relist: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		beside: newBeside(),
		done:   make(chan struct{}),
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.stopped = ctx.Done()
	s.begin = func(after <-chan struct{}) { s.run(ctx, after) }
	state, cause := first(spec)
	v := &view{cause: cause, replaced: make(chan struct{})}
	if state == Starting && old != nil {
		v.listing, v.others = old.listing, old.others
	}
	v.status = Status{Name: spec.Name, Transport: spec.Transport, State: state, Since: time.Now()}
	v.describe()
	s.view.Store(v)
	return s
}

// describe fills what Status says of the other fields.
func (v *view) describe() {
	st := &v.status
	st.Error, st.Listed, st.Tools = "", v.listing != nil, 0
	if v.listing != nil {
		st.Tools, st.Error = len(v.listing.tools), v.listing.note
	}
	if v.others != nil && st.Error == "" {
		st.Error = v.others.note
	}
	if v.cause != nil {
		st.Error = v.cause.Error()
	}
}

// show replaces the view by a changed copy and publishes if the state or a
// listing differs.
func (s *server) show(change func(*view)) {
	s.showing.Lock()
	defer s.showing.Unlock()
	old := s.view.Load()
	v := *old
	v.replaced = make(chan struct{})
	change(&v)
	v.describe()
	v.status.Error = s.opt.Dial.text(v.status.Error)
	if from, to := old.status.State, v.status.State; from != to {
		v.status.Since = time.Now()
		if !legal(from, to) {
			s.log.Error("illegal state change", zap.String("from", string(from)), zap.String("to", string(to)))
		}
		s.log.Info("state changed", zap.String("from", string(from)), zap.String("to", string(to)), zap.String("err", v.status.Error))
	}
	s.view.Store(&v)
	close(old.replaced)
	if old.status.State != v.status.State || old.listing != v.listing || old.others != v.others {
		s.publish()
	}
}

// ready returns a view that is Ready, once there is one. It waits for a start
// under way and for at most one try to reconnect.
func (s *server) ready(ctx context.Context) (*view, error) {
	tried := false
	for {
		v := s.view.Load()
		if isClosed(s.stopped) {
			return nil, errReplaced
		}
		switch v.status.State {
		case Ready:
			if !isClosed(v.session.gone) && !isClosed(v.session.conn.Done) {
				return v, nil
			} // else the loop is about to notice
		case Starting:
			tried = true
		case BackingOff:
			if tried {
				return nil, unavailable(s.spec.Name, BackingOff, v.cause)
			}
			tried = true
			poke(s.wake)
		case NeedsLogin:
			s.loginWanted()
			return nil, unavailable(s.spec.Name, NeedsLogin, v.cause)
		default:
			return nil, unavailable(s.spec.Name, v.status.State, v.cause)
		}
		select {
		case <-v.replaced:
		case <-s.stopped:
			return nil, errReplaced
		case <-ctx.Done():
			return nil, fmt.Errorf("upstream %q is %s: %w", s.spec.Name, v.status.State, context.Cause(ctx))
		}
	}
}

// loginWanted says that a call needs a login.
func (s *server) loginWanted() {
	if s.opt.Dial.Login != nil {
		s.opt.Dial.Login.Wanted(s.spec.Name)
	}
}

// markCalled makes the loop list the server more often.
func (s *server) markCalled() {
	if !s.called.Load() && !s.called.Swap(true) {
		poke(s.nudge)
	}
}

// poke leaves a token in a channel of capacity 1.
func poke(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func drain(ch <-chan struct{}) {
	select {
	case <-ch:
	default:
	}
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
