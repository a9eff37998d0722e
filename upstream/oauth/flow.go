package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"go.uber.org/zap"
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
	quiet   bool // open no browser
	cancel  context.CancelFunc

	prompt Prompt
	ready  chan struct{} // closed when prompt is set
	done   chan struct{} // closed when err is set
	err    error
}

// begin starts a login or joins the one under way. quiet opens no browser.
func (a *account) begin(quiet bool) (f *flow, joined bool, err error) {
	a.load()
	ctx, cancel := context.WithTimeout(a.life, a.keeper.opt.Timing.Login)
	f = &flow{account: a, quiet: quiet, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{})}
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
	a.flow = nil
	a.mu.Unlock()
	name := a.server().Name
	switch {
	case err == nil:
		a.log.Info("logged in")
		a.keeper.opt.Event(Event{What: LoggedIn, Server: name, Detail: f.prompt.Host})
	case errors.Is(err, ErrIssuer):
		a.log.Error("login held", zap.Error(err))
		a.keeper.opt.Event(Event{What: IssuerChanged, Server: name, Detail: err.Error()})
	default:
		a.log.Warn("login failed", zap.Error(err))
		a.keeper.opt.Event(Event{What: LoginFailed, Server: name, Detail: err.Error()})
	}
	f.err = err
	close(f.done)
}

// attempt is one authorization request.
type attempt struct {
	client   *registration
	scopes   []string
	state    string
	verifier string // empty: without PKCE
	url      string
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
		return fmt.Errorf("%w: it was %q and is now %q\nhint: if you trust the new one: mcpproxy auth logout %s, then mcpproxy auth login %s",
			ErrIssuer, was, got.server.Issuer, a.server().Name, a.server().Name)
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

// request prepares an authorization request with a client that is configured,
// was registered before, or is registered now.
func (f *flow) request(ctx context.Context, got *found, back *callback, earlier *registration) (*attempt, error) {
	a := f.account
	try := &attempt{scopes: a.wish(got)}
	secret, err := a.keeper.secretOf(a.server())
	if err != nil {
		return nil, err
	}
	if try.client, err = configured(a.server(), secret, &got.server, back.redirect); err != nil {
		return nil, err
	}
	reused := false
	if try.client == nil && earlier.usable(back.redirect) {
		try.client, reused = earlier, true
	}
	if try.client == nil {
		if try.client, err = a.fetcher(ctx).register(ctx, &got.server, back.redirect, try.scopes); err != nil {
			return nil, err
		}
		a.registered(got, try.client)
	}
	if err := f.compose(try, got); err != nil {
		return nil, err
	}
	if reused && a.fetcher(ctx).forgot(ctx, try.url) {
		return f.request(ctx, got, back, nil)
	}
	back.expect(try.state)
	return try, nil
}

// registered keeps a new client, so that it is used again even if this login
// fails.
func (a *account) registered(got *found, client *registration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.record.Logins[got.server.Issuer]
	if l == nil {
		l = &login{}
		a.record.Logins[got.server.Issuer] = l
	}
	l.Client = client
	a.keeper.vault.save(a.server(), a.record)
}

// compose writes the URL of an authorization request.
func (f *flow) compose(try *attempt, got *found) (err error) {
	if try.state, err = transport.GenerateState(); err != nil {
		return err
	}
	u, err := f.account.fetcher(f.account.life).guard.check(got.server.Authorize)
	if err != nil {
		return fmt.Errorf("authorization_endpoint: %w", err)
	}
	q := u.Query()
	q.Set("response_type", "code")
	q.Set("client_id", try.client.ID)
	q.Set("redirect_uri", try.client.Redirect)
	q.Set("state", try.state)
	q.Set("resource", got.resource)
	if len(try.scopes) > 0 {
		q.Set("scope", strings.Join(try.scopes, " "))
		if slices.Contains(try.scopes, "offline_access") {
			q.Set("prompt", "consent") // OpenID Connect Core, section 11
		}
	}
	if f.account.server().NoPKCE {
		f.account.log.Warn("this login goes without PKCE, as configured")
	} else {
		if try.verifier, err = transport.GenerateCodeVerifier(); err != nil {
			return err
		}
		q.Set("code_challenge", transport.GenerateCodeChallenge(try.verifier))
		q.Set("code_challenge_method", "S256")
	}
	u.RawQuery = q.Encode()
	try.url = u.String()
	return nil
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
			a.log.Warn("no browser could be opened", zap.String("hint", "mcpproxy auth login "+a.server().Name), zap.Error(err))
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

// redeem checks what the browser brought and exchanges the code.
func (f *flow) redeem(ctx context.Context, got *found, try *attempt, came redirected) (*token, error) {
	switch {
	case came.iss != "" && came.iss != got.server.Issuer, came.iss == "" && got.server.Issues: // RFC 9207, section 2.4
		return nil, fmt.Errorf("%w: the answer is not from the authorization server that was asked", ErrDenied)
	case came.fault != "":
		if !isCode(came.fault) {
			came.fault = "an error"
		}
		return nil, fmt.Errorf("%w: %w", ErrDenied, &answerError{code: came.fault})
	case came.code == "":
		return nil, fmt.Errorf("%w: the answer holds no code", ErrDenied)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {came.code},
		"redirect_uri": {try.client.Redirect}, "resource": {got.resource}}
	if try.verifier != "" {
		form.Set("code_verifier", try.verifier)
	}
	return f.account.fetcher(ctx).grant(ctx, got.server.Token, try.client, form)
}

// loggedIn puts a new login in use.
func (a *account) loggedIn(got *found, try *attempt, t *token) {
	if more := beyond(scopesOf(t.Scope), try.scopes); len(more) > 0 && len(try.scopes) > 0 {
		a.log.Warn("the token can do more than was asked for", zap.Strings("scopes", more))
	}
	if t.Scope == "" {
		t.Scope = strings.Join(try.scopes, " ") // RFC 6749, section 5.1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.record.Issuer = got.server.Issuer
	a.record.Logins[got.server.Issuer] = &login{Client: try.client, Resource: got.resource, Asked: try.scopes,
		Endpoint: got.server.Token, Revoke: got.server.Revoke}
	a.challenge.MoreRights = false
	a.keep(t)
}
