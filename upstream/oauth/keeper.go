package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/desktop"
)

// Server is what the configuration says of one remote server.
type Server struct {
	Name         string
	URL          string
	Scopes       []string // empty: the challenge's, else the metadata's, else none
	NoPKCE       bool     // log in without PKCE, because the server cannot do it
	ClientID     string   // empty: register one; an https URL is a client metadata document
	ClientSecret string   // may be a placeholder
}

// Options of a [Keeper]. The zero value works.
type Options struct {
	// Vault keeps logins across restarts; nil keeps them in memory.
	Vault Vault
	Log   *zap.Logger // nil means none
	// Expand resolves a placeholder in a client secret; nil leaves it.
	Expand func(text string) (string, error)
	// Open opens a browser; nil means the desktop's own.
	Open func(url string) error
	// Resolve looks up a host; nil means the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Event is told what a person may want to know. It must not block.
	Event  func(Event)
	Timing Timing
}

// Timing holds the intervals of a [Keeper]. A zero field means its default.
type Timing struct {
	Login  time.Duration // how long a login waits for the person; 5 min
	Tab    time.Duration // least time between browser tabs of one server; 5 min
	Invite time.Duration // how long a person's action allows a browser; 2 min
	Retry  time.Duration // first pause after a failed refresh; 5 s, doubling to 1 min
}

// What an [Event] is about.
const (
	LoggedIn      = "login"
	LoggedOut     = "logout"
	LoginNeeded   = "login-needed"   // a login is lost
	LoginFailed   = "login-failed"   // the person or the server did not finish it
	IssuerChanged = "issuer-changed" // held until a person logs out and in
)

// Event is something that happened to the login of a server.
type Event struct {
	What, Server string
	Detail       string // names and hosts, never a secret
}

// Keeper has the logins of all remote servers. Safe for concurrent use.
type Keeper struct {
	opt      Options
	accounts atomic.Pointer[map[string]*account] // immutable snapshot
	vault    *vault
	life     context.Context // ends with Close
	end      context.CancelFunc

	mu     sync.Mutex // Apply and background
	closed bool
	wg     sync.WaitGroup
}

// New returns a Keeper without servers. It lives until Close, not until ctx
// ends.
func New(ctx context.Context, opt Options) *Keeper {
	if opt.Log == nil {
		opt.Log = zap.NewNop()
	}
	opt.Log = opt.Log.Named("oauth")
	if opt.Open == nil {
		opt.Open = desktop.Open
	}
	if opt.Resolve == nil {
		opt.Resolve = systemResolver
	}
	if opt.Event == nil {
		opt.Event = func(Event) {}
	}
	opt.Timing.Login = cmp.Or(opt.Timing.Login, 5*time.Minute)
	opt.Timing.Tab = cmp.Or(opt.Timing.Tab, 5*time.Minute)
	opt.Timing.Invite = cmp.Or(opt.Timing.Invite, 2*time.Minute)
	opt.Timing.Retry = cmp.Or(opt.Timing.Retry, 5*time.Second)
	k := &Keeper{opt: opt, vault: &vault{store: opt.Vault, log: opt.Log}}
	k.life, k.end = context.WithCancel(context.WithoutCancel(ctx))
	k.accounts.Store(&map[string]*account{})
	return k
}

// Apply makes the set of servers equal list. A server whose URL changed is
// another one: its login is not carried over.
func (k *Keeper) Apply(list []Server) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := *k.accounts.Load()
	next := make(map[string]*account, len(list))
	for _, s := range list {
		a := old[s.Name]
		if a == nil || a.server().URL != s.URL {
			if a = k.newAccount(s); a == nil {
				continue
			}
		} else if !reflect.DeepEqual(a.server(), s) {
			a.set.Store(&s)
		}
		next[s.Name] = a
	}
	for name, a := range old {
		if next[name] != a {
			a.stop()
		}
	}
	k.accounts.Store(&next)
}

// Close ends logins and refreshes under way and waits for them.
func (k *Keeper) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.end()
	k.wg.Wait()
}

// background runs f, which must end with k.life, unless the Keeper is closed.
func (k *Keeper) background(f func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.wg.Go(f)
	}
	return !k.closed
}

func (k *Keeper) account(name string) (*account, error) {
	if a, ok := (*k.accounts.Load())[name]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("oauth: %q: %w", name, ErrUnknown)
}

// Token returns the access token to send to a server, "" if there is none. It
// waits only where the token has expired and a refresh is under way; the error
// then wraps ErrTokens. A server whose token it is refuses it by [Keeper.Refused].
func (k *Keeper) Token(ctx context.Context, name string) (string, error) {
	a, ok := (*k.accounts.Load())[name]
	if !ok {
		return "", nil
	}
	return a.accessToken(ctx)
}

// Refused is told that the server refused a request that carried the token
// sent, which may be "". It reports whether there is another token now, with
// which the request, which was not executed, may be sent once more.
func (k *Keeper) Refused(ctx context.Context, name, sent string, c Challenge) bool {
	a, ok := (*k.accounts.Load())[name]
	return ok && a.refused(ctx, sent, c)
}

// Load reads the kept login of a server if that was not done yet; it may ask the
// keyring. Token does so too.
func (k *Keeper) Load(name string) {
	if a, ok := (*k.accounts.Load())[name]; ok {
		a.load()
	}
}

// Issuer returns the authorization server that the login of a server is from, ""
// if there is none or its login was not read yet. It never waits.
func (k *Keeper) Issuer(name string) string {
	if a, ok := (*k.accounts.Load())[name]; ok {
		if issuer := a.issuer.Load(); issuer != nil {
			return *issuer
		}
	}
	return ""
}

// Invite notes that a person just did something to the server, such as to enable
// it: if it asks for a login in the next two minutes, a browser may open.
func (k *Keeper) Invite(name string) {
	if a, ok := (*k.accounts.Load())[name]; ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.invited, a.ignored = time.Now(), false
	}
}

// Wanted notes that a call needs a login that is not there. It begins one, with
// a browser, at most once in five minutes, and not again after one that nobody
// finished until a person does something about the server.
func (k *Keeper) Wanted(name string) {
	if a, ok := (*k.accounts.Load())[name]; ok {
		a.wanted()
	}
}

// Login logs in at a server and waits until the person has done so, ctx ends or
// five minutes are over. A login under way is joined. prompt, if set, is called
// once the URL is known. noBrowser only prints.
func (k *Keeper) Login(ctx context.Context, name string, noBrowser bool, prompt func(Prompt)) error {
	a, err := k.account(name)
	if err != nil {
		return err
	}
	f, joined, err := a.begin(byPerson, noBrowser)
	if err != nil {
		return err
	}
	select {
	case <-f.ready:
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
	if prompt != nil {
		p := f.prompt
		if joined && p.Opened {
			p.Opened, p.Note = false, "a tab was opened for it already"
		}
		prompt(p)
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Logout forgets the login of a server, here and, where it can, at the
// authorization server. It reports whether there was one.
func (k *Keeper) Logout(ctx context.Context, name string) (bool, error) {
	a, err := k.account(name)
	if err != nil {
		return false, err
	}
	return a.logout(ctx)
}

// Forget ends the login of a server that is removed, and drops what was kept.
func (k *Keeper) Forget(ctx context.Context, name string) {
	a, err := k.account(name)
	if err != nil {
		return
	}
	_, _ = a.logout(ctx) // there is nobody to tell
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record = record{URL: a.server().URL, Logins: map[string]*login{}}
	k.vault.drop(a.server())
}

func parseServer(s Server) (*url.URL, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url is not valid")
	}
	u.User, u.Fragment = nil, ""
	return u, nil
}

// secretOf returns the client secret of the configuration.
func (k *Keeper) secretOf(s Server) (string, error) {
	if k.opt.Expand == nil || s.ClientSecret == "" {
		return s.ClientSecret, nil
	}
	value, err := k.opt.Expand(s.ClientSecret)
	if err != nil {
		return "", fmt.Errorf("client_secret: %w", err)
	}
	return value, nil
}
