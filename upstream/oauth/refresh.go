package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/hint"
)

// maxRetry is the longest pause between tries to refresh.
const maxRetry = time.Minute

// errLost says that a login is over: only a person can begin another.
var errLost = errors.New("the login is over")

// renewal is one refresh, shared by all who wait for it.
type renewal struct {
	done chan struct{}
	err  error // set before done is closed
}

func (r *renewal) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renew refreshes t unless that is under way, was done or failed a moment ago.
// It does not end with the caller: a refresh token may be good for one use, so
// its answer must not be lost.
func (a *account) renew(t *token) *renewal {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &renewal{done: make(chan struct{})}
	switch {
	case a.refreshed != nil:
		return a.refreshed
	case a.current.Load() != t:
		close(r.done)
		return r
	case time.Now().Before(a.retryAt):
		r.err = fmt.Errorf("%w: the last refresh failed, the next try is in %s", ErrTokens, time.Until(a.retryAt).Round(time.Second))
		close(r.done)
		return r
	}
	a.refreshed = r
	if !a.keeper.background(func() { a.refresh(t, r) }) {
		a.refreshed, r.err = nil, ErrClosed
		close(r.done)
	}
	return r
}

// refresh does the work of r.
func (a *account) refresh(t *token, r *renewal) {
	ctx, cancel := context.WithTimeout(a.life, 2*requestTimeout)
	defer cancel()
	next, err := a.nextToken(ctx, t)
	a.mu.Lock()
	a.refreshed = nil
	stale := a.current.Load() != t // logged out or in meanwhile
	var lost bool
	switch {
	case stale:
		err = nil
	case err == nil:
		a.keep(next)
	case isFinal(err):
		lost = true
		a.lose(err)
	default:
		a.failures++
		a.retryAt = time.Now().Add(min(a.keeper.opt.Timing.Retry<<min(a.failures-1, 10), maxRetry))
	}
	a.mu.Unlock()
	switch {
	case lost:
		a.log.Warn("login needed: the authorization server ended it", zap.Error(err), zap.String("hint", hint.Command("auth", "login", a.server().Name)))
		a.keeper.opt.Event(Event{What: LoginNeeded, Server: a.server().Name, Detail: err.Error()})
		err = nil // the request goes on without a token and is answered 401
	case err != nil:
		a.log.Warn("token not refreshed", zap.Error(err))
	default:
		a.log.Debug("token refreshed")
	}
	r.err = err
	close(r.done)
}

// nextToken asks for the next token.
func (a *account) nextToken(ctx context.Context, t *token) (*token, error) {
	a.mu.Lock()
	l := a.login()
	if l == nil || l.Client == nil {
		a.mu.Unlock()
		return nil, errLost
	}
	client, endpoint, resource := *l.Client, l.Endpoint, l.Resource
	a.mu.Unlock()
	if s := a.server(); !client.Dynamic && s.ClientID == client.ID { // the configuration's secret may have changed
		secret, err := a.keeper.secretOf(s)
		if err != nil {
			return nil, err
		}
		client.Secret = secret
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}, "resource": {resource}}
	next, err := a.fetcher(ctx).grant(ctx, endpoint, &client, form)
	if err != nil {
		return nil, err
	}
	if t.Scope != "" && len(beyond(scopesOf(next.Scope), scopesOf(t.Scope))) > 0 { // RFC 6749, section 6
		return nil, fmt.Errorf("%w: a refresh brought more rights than the login had", errLost)
	}
	if next.Refresh == "" {
		next.Refresh = t.Refresh
	}
	if next.Scope == "" {
		next.Scope = t.Scope
	}
	next.plan()
	return next, nil
}

// isFinal reports whether a refresh failed in a way that no later one can mend.
func isFinal(err error) bool {
	for _, code := range []string{"invalid_grant", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"} {
		if says(err, code) {
			return true
		}
	}
	return errors.Is(err, errLost)
}

// lose forgets the token, and a client that is no longer known; a.mu is held.
func (a *account) lose(err error) {
	a.current.Store(nil)
	if l := a.login(); l != nil {
		l.Token = nil
		if says(err, "invalid_client") && l.Client != nil && l.Client.Dynamic {
			l.Client = nil
		}
	}
	a.kept = a.keeper.vault.save(a.server(), a.record)
}
