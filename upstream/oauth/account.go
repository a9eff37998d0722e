package oauth

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/hint"
)

// reloadPause is between tries to read a store that failed.
const reloadPause = 30 * time.Second

// account is the login of one server. What a request needs is in current;
// everything else is behind mu, which is never held over the network.
type account struct {
	keeper *Keeper
	set    atomic.Pointer[Server]
	url    *url.URL
	log    *zap.Logger
	life   context.Context // ends when the server is gone
	stop   context.CancelFunc

	current atomic.Pointer[token] // nil: none
	loaded  atomic.Bool
	issuer  atomic.Pointer[string] // of the login; nil: none

	mu        sync.Mutex
	fetch     *fetcher // nil before the first use
	record    record
	kept      bool
	loadAfter time.Time
	challenge Challenge
	asked     bool   // the server asked for a login
	rejected  string // token that the server refused for good
	refreshed *renewal
	failures  int
	retryAt   time.Time // no refresh before
	flow      *flow     // under way
	invited   time.Time
	auto      time.Time // last login that nobody typed
	ignored   bool      // nobody finished that one: no other until a person does something
	tab       time.Time // last browser tab
}

// newAccount returns the account of s, nil if its URL is none.
func (k *Keeper) newAccount(s Server) *account {
	u, err := parseServer(s)
	if err != nil {
		return nil
	}
	a := &account{keeper: k, url: u, log: k.opt.Log.With(zap.String("server", s.Name))}
	a.set.Store(&s)
	a.life, a.stop = context.WithCancel(k.life)
	a.record = record{URL: s.URL, Logins: map[string]*login{}}
	return a
}

func (a *account) server() Server { return *a.set.Load() }

// fetcher returns the way to the authorization servers. It resolves the server's
// own host, once that works: this decides which addresses its metadata may lead to.
func (a *account) fetcher(ctx context.Context) *fetcher {
	a.mu.Lock()
	f := a.fetch
	a.mu.Unlock()
	if f != nil {
		return f
	}
	f = newFetcher(newGuard(ctx, a.url, a.keeper.opt.Resolve))
	f.own = a.url.String()
	if !f.guard.found {
		return f
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fetch == nil {
		a.fetch = f
	}
	return a.fetch
}

// load reads the kept login, once.
func (a *account) load() {
	if a.loaded.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loaded.Load() || time.Now().Before(a.loadAfter) {
		return
	}
	r, ok := a.keeper.vault.load(a.server())
	if !ok {
		a.loadAfter = time.Now().Add(reloadPause)
		return
	}
	a.record = r
	a.pin(r.Issuer)
	if l := a.login(); l != nil && l.Token != nil {
		a.current.Store(l.Token.restored())
		a.kept = true
	}
	a.loaded.Store(true)
}

// pin sets the issuer that tokens come from; a.mu is held.
func (a *account) pin(issuer string) {
	a.record.Issuer = issuer
	a.issuer.Store(&issuer)
}

// login returns the login in use, nil if there is none; a.mu is held.
func (a *account) login() *login { return a.record.Logins[a.record.Issuer] }

// keep puts t in use and on disk; a.mu is held.
func (a *account) keep(t *token) {
	a.current.Store(t)
	a.rejected, a.failures, a.retryAt, a.ignored = "", 0, time.Time{}, false
	a.loaded.Store(true)
	if l := a.login(); l != nil {
		l.Token = t
	}
	a.kept = a.keeper.vault.save(a.server(), a.record)
}

// accessToken is Keeper.Token.
func (a *account) accessToken(ctx context.Context) (string, error) {
	a.load()
	t := a.current.Load()
	switch {
	case t == nil:
		return "", nil
	case t.due():
	case t.expired():
		return "", nil // nothing to refresh it with: the server will ask for a login
	default:
		return t.Access, nil
	}
	r := a.renew(t)
	if !t.expired() {
		return t.Access, nil
	}
	if err := r.wait(ctx); err != nil {
		return "", err
	}
	if t := a.current.Load(); t != nil {
		return t.Access, nil
	}
	return "", nil
}

// refused is Keeper.Refused.
func (a *account) refused(ctx context.Context, sent string, c Challenge) bool {
	a.load()
	a.mu.Lock()
	a.challenge, a.asked = c, true
	invited := time.Since(a.invited) < a.keeper.opt.Timing.Invite && !a.invited.IsZero()
	a.mu.Unlock()
	t := a.current.Load()
	if t != nil && t.Access != sent {
		return true // refreshed, or logged in, meanwhile
	}
	if t != nil && !c.MoreRights && t.Refresh != "" && !t.fresh() {
		err := a.renew(t).wait(ctx)
		if now := a.current.Load(); err == nil && now != nil && now != t {
			return true
		}
	}
	a.reject(t, c)
	if invited {
		a.wanted()
	}
	return false
}

// reject notes that the server takes t no more.
func (a *account) reject(t *token, c Challenge) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t == nil || c.MoreRights || a.rejected == t.Access || a.current.Load() != t {
		return
	}
	a.rejected = t.Access
	a.log.Warn("the server refuses the token of its login", zap.String("hint", hint.Command("auth", "login", a.server().Name)))
}

// wanted begins a login that nobody typed, if that may be done now.
func (a *account) wanted() {
	a.mu.Lock()
	may := a.flow == nil && !a.ignored && (a.auto.IsZero() || time.Since(a.auto) > a.keeper.opt.Timing.Tab)
	if l := a.login(); may && l != nil && a.challenge.MoreRights {
		asked := union(l.Asked, scopesOf(scopeOf(l.Token)))
		if len(beyond(scopesOf(a.challenge.Scope), asked)) == 0 {
			may = false // it was given these rights and refuses still: another login would end the same way
		}
	}
	if may {
		a.auto = time.Now()
	}
	a.mu.Unlock()
	if may {
		_, _, _ = a.begin(byCall, false) // it reports its own end
	}
}

func scopeOf(t *token) string {
	if t == nil {
		return ""
	}
	return t.Scope
}

// logout is Keeper.Logout.
func (a *account) logout(ctx context.Context) (bool, error) {
	a.load()
	a.mu.Lock()
	f, l := a.flow, a.login()
	had := l != nil && l.Token != nil
	var was login
	if had {
		was = *l
		l.Token, l.Asked = nil, nil
	}
	changed := a.record.Issuer != ""
	a.pin("") // the next login may be at another issuer
	a.current.Store(nil)
	a.rejected, a.challenge, a.asked = "", Challenge{}, false
	if changed {
		a.kept = a.keeper.vault.save(a.server(), a.record)
	}
	a.mu.Unlock()
	if f != nil {
		f.cancel()
	}
	if !had {
		return false, nil
	}
	a.log.Info("logged out")
	a.keeper.opt.Event(Event{What: LoggedOut, Server: a.server().Name})
	a.revoke(ctx, was)
	return true, nil
}

// revoke tells the authorization server that the tokens are no longer needed
// (RFC 7009). Whether it listens changes nothing here.
func (a *account) revoke(ctx context.Context, l login) {
	if l.Revoke == "" || l.Client == nil {
		return
	}
	form := url.Values{"token": {l.Token.Access}, "token_type_hint": {"access_token"}}
	if l.Token.Refresh != "" {
		form = url.Values{"token": {l.Token.Refresh}, "token_type_hint": {"refresh_token"}}
	}
	if _, err := a.fetcher(ctx).post(ctx, l.Revoke, l.Client, form); err != nil {
		a.log.Debug("tokens not revoked", zap.Error(err))
	}
}

// wish returns the scopes to ask for: those of the configuration, else of the
// challenge, else of the metadata. More rights come on top of those there are.
func (a *account) wish(found *found) []string {
	s := a.server()
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := scopesOf(a.challenge.Scope)
	switch {
	case a.challenge.MoreRights:
		var had []string
		if l := a.login(); l != nil {
			had = union(l.Asked, scopesOf(scopeOf(l.Token)))
		}
		return union(s.Scopes, had, asked)
	case len(s.Scopes) > 0:
		return s.Scopes
	case len(asked) == 0:
		asked = scopesOf(strings.Join(found.scopes, " "))
	}
	if len(asked) > 0 && slices.Contains(found.server.Scopes, "offline_access") {
		asked = union(asked, []string{"offline_access"}) // else some give no refresh token
	}
	return asked
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
