package oauth

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/client/transport"
	"go.uber.org/zap"
)

// attempt is one authorization request.
type attempt struct {
	client   *registration
	scopes   []string
	state    string
	verifier string // empty: without PKCE
	url      string
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
			if got.server.guessed {
				err = fmt.Errorf("%w: the server wants credentials and publishes no way to log in\nhint: give it a token under its \"headers\", such as \"Authorization\": \"Bearer ${keyring:NAME}\"", ErrMetadata)
			}
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
	a.pin(got.server.Issuer)
	a.record.Logins[got.server.Issuer] = &login{Client: try.client, Resource: got.resource, Asked: try.scopes,
		Endpoint: got.server.Token, Revoke: got.server.Revoke}
	a.challenge.MoreRights = false
	a.keep(t)
}
