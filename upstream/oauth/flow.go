package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/hint"
)

// why a login begins.
type why int

const (
	byPerson why = iota
	byCall       // or by a server that a person did something about
)

// Prompt tells the person where to log in.
type Prompt struct {
	URL    string // to open in a browser; it passed every check
	Host   string // of the login page
	Opened bool   // a browser was opened
	Note   string // why none was; empty if it was
	// Redirect is where the browser ends, on this machine.
	Redirect string
}

// flow is one login under way.
type flow struct {
	account *account
	why     why
	quiet   bool // open no browser
	cancel  context.CancelFunc

	prompt Prompt
	ready  chan struct{} // closed when prompt is set
	done   chan struct{} // closed when err is set
	err    error
}

// begin starts a login or joins the one under way. quiet opens no browser.
func (a *account) begin(reason why, quiet bool) (f *flow, joined bool, err error) {
	a.load()
	ctx, cancel := context.WithTimeout(a.life, a.keeper.opt.Timing.Login)
	f = &flow{account: a, why: reason, quiet: quiet, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.flow != nil {
		cancel()
		return a.flow, true, nil
	}
	a.flow = f
	if !a.keeper.background(func() { f.run(ctx) }) {
		cancel()
		a.flow = nil
		return nil, false, ErrClosed
	}
	return f, false, nil
}

func (f *flow) run(ctx context.Context) {
	a := f.account
	err := f.login(ctx)
	if ctx.Err() != nil && err != nil && !errors.Is(err, ErrDenied) {
		if err = ErrTimeout; !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("%w: it was given up", ErrDenied)
		}
	}
	f.cancel()
	a.mu.Lock()
	a.flow, a.ignored = nil, f.why == byCall && errors.Is(err, ErrTimeout)
	a.mu.Unlock()
	name := a.server().Name
	detail, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	switch {
	case err == nil:
		a.log.Info("logged in")
		a.keeper.opt.Event(Event{What: LoggedIn, Server: name, Detail: f.prompt.Host})
	case errors.Is(err, ErrIssuer):
		a.log.Error("login held", zap.Error(err))
		a.keeper.opt.Event(Event{What: IssuerChanged, Server: name, Detail: detail})
	default:
		a.log.Warn("login failed", zap.Error(err))
		a.keeper.opt.Event(Event{What: LoginFailed, Server: name, Detail: detail})
	}
	f.err = err
	close(f.done)
}

// login finds the other side, sends the person there and waits.
func (f *flow) login(ctx context.Context) error {
	a := f.account
	got, err := f.find(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	var earlier *registration
	if l := a.record.Logins[got.server.Issuer]; l != nil {
		earlier = l.Client
	}
	was := a.record.Issuer
	a.mu.Unlock()
	if was != "" && was != got.server.Issuer {
		return fmt.Errorf("%w: it was %q and is now %q\nhint: if you trust the new one: %s, then %s",
			ErrIssuer, was, got.server.Issuer, hint.Command("auth", "logout", a.server().Name), hint.Command("auth", "login", a.server().Name))
	}
	redirect := ""
	if earlier != nil {
		redirect = earlier.Redirect
	}
	back, err := listen(ctx, a.server().Name, redirect)
	if err != nil {
		return fmt.Errorf("no port for the browser to come back to: %w", err)
	}
	defer back.close(ctx)
	try, err := f.request(ctx, got, back, earlier)
	if err != nil {
		return err
	}
	if err := f.show(ctx, try); err != nil {
		return err
	}
	return f.await(ctx, got, back, try)
}

// find discovers the authorization server.
func (f *flow) find(ctx context.Context) (*found, error) {
	a := f.account
	fetch := a.fetcher(ctx)
	a.mu.Lock()
	c := a.challenge
	asked := a.asked
	a.mu.Unlock()
	if a.url.Scheme == "http" && !isLoopbackHost(a.url.Hostname()) {
		return nil, fmt.Errorf("%w: the url of the server is http, so its tokens could be read on their way: give it https", ErrUnsafeURL)
	}
	if !asked {
		var err error
		if c, asked, err = fetch.probe(ctx, a.url); err != nil {
			return nil, err
		}
		a.mu.Lock()
		a.challenge, a.asked = c, asked
		a.mu.Unlock()
	}
	got, err := fetch.discover(ctx, a.url, c.ResourceMetadata)
	if err != nil {
		return nil, err
	}
	if !asked && got.server.guessed {
		return nil, ErrNoLogin
	}
	if !got.server.provesPKCE() && !a.server().NoPKCE {
		return nil, fmt.Errorf("%w: it does not say that it can do PKCE with S256, so a code could be stolen on its way\nhint: if you accept that for this server alone, set \"pkce_enabled\": false under its \"oauth\"", ErrMetadata)
	}
	return got, nil
}

// show opens the browser if that may be done, and tells the URL.
func (f *flow) show(ctx context.Context, try *attempt) error {
	a := f.account
	u, err := url.Parse(try.url)
	if err != nil {
		return ErrUnsafeURL
	}
	if err := a.fetcher(ctx).guard.resolves(ctx, u); err != nil {
		return fmt.Errorf("authorization_endpoint: %w", err)
	}
	p := Prompt{URL: try.url, Host: u.Hostname(), Redirect: try.client.Redirect}
	a.mu.Lock()
	ago := time.Since(a.tab)
	recent := !a.tab.IsZero() && ago < a.keeper.opt.Timing.Tab
	if !f.quiet && !recent {
		a.tab = time.Now()
	}
	a.mu.Unlock()
	switch {
	case f.quiet:
		p.Note = "no browser was wanted"
	case recent:
		p.Note = fmt.Sprintf("a tab was opened for it %s ago already", ago.Round(time.Second))
	default:
		a.log.Info("opening a browser to log in", zap.String("host", p.Host))
		if err := a.keeper.opt.Open(try.url); err != nil {
			p.Note = err.Error()
			a.log.Warn("no browser could be opened", zap.String("hint", hint.Command("auth", "login", a.server().Name)), zap.Error(err))
		} else {
			p.Opened = true
		}
	}
	f.prompt = p
	close(f.ready)
	return nil
}

// await takes what the browser brings and exchanges it for tokens. A client that
// the authorization server does not know any more is registered anew once.
func (f *flow) await(ctx context.Context, got *found, back *callback, try *attempt) error {
	for again := false; ; again = true {
		var came redirected
		select {
		case came = <-back.answers:
		case <-ctx.Done():
			return ctx.Err()
		}
		t, err := f.redeem(ctx, got, try, came)
		if !again && try.client.Dynamic && (says(err, "invalid_client") || says(err, "unauthorized_client")) {
			next, failed := f.request(ctx, got, back, nil)
			if failed == nil {
				try = next
				came.reply <- reply{again: try.url}
				continue
			}
			err = failed
		}
		if err == nil {
			f.account.loggedIn(got, try, t)
		}
		came.reply <- reply{err: err}
		return err
	}
}
