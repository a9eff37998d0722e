package app

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/secret"
	"mcpproxy/upstream"
	"mcpproxy/upstream/oauth"
)

// openLogins makes the keeper of OAuth logins. Its tokens lie in files of their
// own, sealed with a key that is in the keyring.
func (a *App) openLogins(keyring secret.Store) (*oauth.Keeper, error) {
	vault, err := secret.OpenVault(filepath.Join(a.dir, "logins"), keyring)
	if err != nil {
		return nil, err
	}
	return oauth.New(context.Background(), oauth.Options{
		Vault: vault, Log: a.log, Event: a.loginEvent,
		Expand: a.expand,
	}), nil
}

// loginsOf lists the servers of cfg that OAuth may be used for: remote ones
// without credentials of their own.
func loginsOf(cfg *config.Config) []oauth.Server {
	var list []oauth.Server
	for _, s := range cfg.Servers {
		if !usesOAuth(s) {
			continue
		}
		o := oauth.Server{Name: s.Name, URL: s.URL}
		if c := s.OAuth; c != nil {
			o.Scopes, o.NoPKCE, o.ClientID, o.ClientSecret = c.Scopes, !c.PKCE, c.ClientID, c.ClientSecret
		}
		list = append(list, o)
	}
	return list
}

// usesOAuth reports whether a 401 of the server is answered by a login.
func usesOAuth(s config.Server) bool {
	for name := range s.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			return false
		}
	}
	return s.Transport != upstream.Stdio && s.URL != "" && !strings.Contains(s.URL, "@")
}

// loginEvent puts a login's fate on record. A server that was logged in at
// connects by itself.
func (a *App) loginEvent(e oauth.Event) {
	outcome := audit.OK
	switch e.What {
	case oauth.IssuerChanged:
		outcome = audit.Refused
	case oauth.LoginFailed, oauth.LoginNeeded:
		outcome = audit.Failed
	}
	a.audit.Record(audit.Entry{Time: time.Now().UTC(), What: e.What, Actor: audit.Upstream, Server: e.Server, Outcome: outcome, Detail: e.Detail})
	if !a.serving || e.What != oauth.LoggedIn && e.What != oauth.LoggedOut {
		return
	}
	if err := a.reapply(context.Background()); err != nil { // another issuer is another launch identity
		a.log.Warn("login not applied", zap.String("server", e.Server), zap.Error(err))
	}
	err := a.pool.Restart(context.Background(), e.Server)
	if err != nil && !errors.Is(err, upstream.ErrUnavailable) && !errors.Is(err, upstream.ErrUnknown) {
		a.log.Warn("oauth: server not restarted", zap.String("server", e.Server), zap.Error(err))
	}
}

// invite lets a browser open if the server asks for a login, where a person is
// behind ctx.
func (a *App) invite(ctx context.Context, server string) {
	if audit.ActorOf(ctx) != audit.Agent {
		a.logins.Invite(server)
	}
}

// Logins implements [api.Logins].
func (a *App) Logins(context.Context) ([]client.Login, error) {
	var list []client.Login
	for _, st := range a.logins.Status() {
		list = append(list, loginDTO(st))
	}
	return list, nil
}

func loginDTO(st oauth.Status) client.Login {
	l := client.Login{
		Server: st.Server, State: string(st.State), Issuer: st.Issuer, Scope: st.Scope, Expires: moment(st.Expires),
		Renewable: st.Renewable, Kept: st.Kept, Redirect: st.Redirect, URL: st.URL,
	}
	if st.State == oauth.Needed {
		l.Hint = hint.Command("auth", "login", st.Server)
	}
	return l
}

// LogIn implements [api.Logins].
func (a *App) LogIn(ctx context.Context, server string, noBrowser bool, prompt func(client.LoginPrompt)) (client.Login, error) {
	if err := a.checkLogin(server); err != nil {
		return client.Login{}, err
	}
	err := a.logins.Login(ctx, server, noBrowser, func(p oauth.Prompt) { prompt(client.LoginPrompt(p)) })
	if err != nil {
		return client.Login{}, loginError(server, err)
	}
	return a.loginOf(server), nil
}

// LogOut implements [api.Logins].
func (a *App) LogOut(ctx context.Context, server string) (client.Login, error) {
	if err := a.checkLogin(server); err != nil {
		return client.Login{}, err
	}
	if _, err := a.logins.Logout(ctx, server); err != nil {
		return client.Login{}, err
	}
	return a.loginOf(server), nil
}

func (a *App) loginOf(server string) client.Login {
	for _, st := range a.logins.Status() {
		if st.Server == server {
			return loginDTO(st)
		}
	}
	return client.Login{Server: server, State: string(oauth.None)}
}

// checkLogin returns why OAuth has nothing to do with a server.
func (a *App) checkLogin(name string) error {
	s, err := a.configured(name)
	switch {
	case err != nil:
		return err
	case s.Transport == upstream.Stdio:
		return &client.Error{Code: client.CodeInvalid, Message: "server " + name + " is a program on this machine, which takes no login",
			Hint: "give it what it needs under \"env\" in the configuration"}
	case !usesOAuth(s):
		return &client.Error{Code: client.CodeInvalid, Message: "server " + name + " has credentials of its own in the configuration",
			Hint: "remove \"Authorization\" from its \"headers\" to log in with OAuth instead"}
	}
	return nil
}

// loginError says to a person why a login did not come about.
func loginError(server string, err error) error {
	e := &client.Error{Code: client.CodeUnavailable, Message: "login at " + server + ": " + err.Error()}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, oauth.ErrIssuer):
		e.Code = client.CodeHeld
	case errors.Is(err, oauth.ErrNoLogin):
		e.Code, e.Message = client.CodeInvalid, "server "+server+" asks for no login"
	case errors.Is(err, oauth.ErrTimeout):
		e.Hint = "try again: " + hint.Command("auth", "login", server)
	}
	return e
}
