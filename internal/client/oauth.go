package client

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Login is where the OAuth login of one remote server stands.
type Login struct {
	Server    string     `json:"server"`
	State     string     `json:"state"`            // none, logged in, login needed, waits for you, refresh failed
	Issuer    string     `json:"issuer,omitempty"` // the authorization server
	Scope     string     `json:"scope,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`  // of the access token
	Renewable bool       `json:"renewable"`          // refreshed by itself
	Kept      bool       `json:"kept"`               // survives a restart
	Redirect  string     `json:"redirect,omitempty"` // URI to register by hand where that is needed
	URL       string     `json:"url,omitempty"`      // of a login that waits for a person
	Hint      string     `json:"hint,omitempty"`     // the command that helps
}

// ServerLoginRequest is the body of POST /api/v1/servers/{name}/login. The
// answer is a stream: a line with Prompt, then the result.
type ServerLoginRequest struct {
	NoBrowser bool `json:"no_browser,omitempty"` // only tell the URL
}

// LoginPrompt tells a person where to log in.
type LoginPrompt struct {
	URL      string `json:"url"`
	Host     string `json:"host"`
	Opened   bool   `json:"opened"`         // a browser was opened
	Note     string `json:"note,omitempty"` // why none was
	Redirect string `json:"redirect"`       // where the browser ends, on the instance's machine
}

// Logins returns the OAuth login of every remote server, sorted by name.
func (c *Client) Logins(ctx context.Context) ([]Login, error) {
	return ask[[]Login](ctx, c, http.MethodGet, "/api/v1/logins", nil)
}

// LogIn logs in at a remote server and waits until the person did so. prompt is
// called once the URL is known.
func (c *Client) LogIn(ctx context.Context, server string, noBrowser bool, prompt func(LoginPrompt)) (Login, error) {
	last, err := c.stream(ctx, serverPath(server)+"/login", ServerLoginRequest{NoBrowser: noBrowser}, func(p Progress) {
		if p.Prompt != nil {
			prompt(*p.Prompt)
		}
	})
	if err == nil && last.Login == nil {
		err = errors.New("login answered nothing")
	}
	if err != nil {
		return Login{}, err
	}
	return *last.Login, nil
}

// LogOut forgets the login of a remote server.
func (c *Client) LogOut(ctx context.Context, server string) (Login, error) {
	return ask[Login](ctx, c, http.MethodPost, serverPath(server)+"/logout", struct{}{})
}
