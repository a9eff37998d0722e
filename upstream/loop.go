package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// run drives the server until ctx ends: connect, serve, rest, again. It begins
// when after is closed, the end of the server that had the name before.
func (s *server) run(ctx context.Context, after <-chan struct{}) {
	defer close(s.done)
	if after != nil {
		<-after
	}
	if s.view.Load().status.State != Starting {
		<-ctx.Done()
		return
	}
	delays := newRetry(s.opt.Timing)
	for ctx.Err() == nil {
		tried := time.Now()
		sess, err := s.connect(ctx)
		if err == nil {
			err = s.serve(ctx, sess)
			if sess.answered.Load() || time.Since(sess.since) >= s.opt.Timing.Stable {
				delays.reset()
			}
			s.lose(ctx, err, delays, tried)
			s.opt.quit(s.spec, sess)
		} else {
			s.lose(ctx, err, delays, tried)
		}
		s.rest(ctx, tried)
	}
}

// connect opens a session and lists it for the first time.
func (s *server) connect(ctx context.Context) (*session, error) {
	release, err := s.boot(ctx)
	if err != nil {
		return nil, err
	}
	drain(s.relist)
	drain(s.beside.relist)
	sess, err := s.opt.open(ctx, s.spec, events{changed: func() { poke(s.relist) }, others: func() { poke(s.beside.relist) }, notify: s.notify})
	release()
	if err != nil {
		return nil, err
	}
	s.called.Store(false)
	began := sess.fresh.begin()
	got, err := sess.list(ctx, s.spec.Name, s.opt.Timing.List)
	if err != nil {
		s.opt.quit(s.spec, sess)
		return nil, err
	}
	defer sess.fresh.end(began)
	s.show(func(v *view) {
		st := &v.status
		st.State, st.NextTry, v.cause, v.session = Ready, time.Time{}, nil, sess
		st.Transport, st.Version, st.Protocol, st.PID = sess.transport, sess.version, sess.protocol, sess.conn.PID
		v.listing = keep(v.listing, got)
	})
	return sess, nil
}

// keep returns old if both hold the same definitions, so that an equal listing
// is no change.
func keep(old, got *listing) *listing {
	if old != nil && old.note == got.note && old.same(got) {
		return old
	}
	return got
}

// bootTime is how long a slow start keeps others waiting.
const bootTime = 500 * time.Millisecond

// boot waits for a slot, so that many children do not boot at once. A slot is
// given back when release is called or bootTime is over.
func (s *server) boot(ctx context.Context) (release func(), err error) {
	if s.spec.Transport != Stdio {
		return func() {}, nil
	}
	select {
	case s.starts <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	free := func() { <-s.starts }
	timer := time.AfterFunc(bootTime, free)
	return func() {
		if timer.Stop() {
			free()
		}
	}, nil
}

func (s *server) notify(method string, params json.RawMessage) {
	if s.opt.Notify != nil {
		s.opt.Notify(s.spec.Name, method, params)
	}
}

// serve keeps the listing of a ready session fresh and returns why the session
// is of no more use.
func (s *server) serve(ctx context.Context, sess *session) error {
	defer s.followOthers(ctx, sess)()
	now := time.Now()
	plan := schedule{t: s.opt.Timing, last: now}
	if sess.transport != Stdio { // what changed before its event stream was open went unheard
		plan.early = now.Add(s.opt.Timing.RelistEarly)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(plan.due(s.called.Load())))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sess.gone:
			return sess.loss()
		case <-s.relist:
			plan.changed = true
		case <-s.nudge:
		case <-timer.C:
			plan.begin(time.Now())
			s.called.Store(false)
			if err := s.list(ctx, sess); err != nil {
				return err
			}
		}
	}
}

// list refreshes the listing. Only an error that makes the session useless is
// returned; with any other the last complete listing stays.
func (s *server) list(ctx context.Context, sess *session) error {
	began := sess.fresh.begin()
	got, err := sess.list(ctx, s.spec.Name, s.opt.Timing.List)
	switch {
	case err == nil:
		defer sess.fresh.end(began) // once it is shown
		if v := s.view.Load(); v.cause != nil || keep(v.listing, got) != v.listing {
			s.show(func(v *view) { v.listing, v.cause = keep(v.listing, got), nil })
		}
		return nil
	case sess.loss() != nil:
		return sess.loss()
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrLost): // the request did not get through, though the connection says nothing
		return err
	default:
		err = fmt.Errorf("the tools shown are of an earlier listing: %w", err)
		s.log.Warn("list", zap.Error(err))
		s.show(func(v *view) { v.cause = err })
		return nil
	}
}

// lose shows the state that follows err. While the pool stops the server it
// shows nothing.
func (s *server) lose(ctx context.Context, err error, delays *retry, tried time.Time) {
	if ctx.Err() != nil {
		return
	}
	drain(s.wake)
	state := after(err)
	var next time.Time
	if state == BackingOff {
		delay := delays.next()
		if errors.Is(err, ErrSessionLost) { // the server is there
			delay = 0
		}
		next = later(time.Now().Add(delay), tried.Add(s.opt.Timing.Retry))
	}
	s.show(func(v *view) {
		v.status.State, v.status.NextTry, v.status.PID = state, next, 0
		v.cause, v.session = err, nil
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rest waits until the next try is due or a call asks for one, at least
// Timing.Retry after the last; for ever if no try is planned.
func (s *server) rest(ctx context.Context, tried time.Time) {
	next := s.view.Load().status.NextTry
	if ctx.Err() != nil || next.IsZero() {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	wake := s.wake
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-wake:
			wake = nil
			timer.Reset(min(time.Until(next), time.Until(tried.Add(s.opt.Timing.Retry))))
		}
	}
}
