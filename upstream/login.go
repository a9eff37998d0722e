package upstream

import (
	"context"
	"net/http"

	"mcpproxy/upstream/oauth"
)

// Login has the access tokens of remote servers. [*oauth.Keeper] implements it.
type Login interface {
	// Token returns the access token to send to a server, "" if there is none.
	Token(ctx context.Context, server string) (string, error)
	// Refused is told of a request that was answered 401, or 403 for want of
	// rights, and the token it carried. It reports whether there is another token,
	// with which the request may be sent once more.
	Refused(ctx context.Context, server, sent string, c oauth.Challenge) bool
	// Wanted is told that a call could not be sent for want of a login or rights.
	Wanted(server string)
}

// LoginError says that a server answered 401, or that the rights of its login do
// not suffice. It wraps ErrLogin or ErrRights.
type LoginError struct {
	Origin    string // scheme and host of the server
	Challenge oauth.Challenge
}

func (e *LoginError) Error() string {
	if e.Challenge.MoreRights {
		return e.Origin + " answered 403: " + ErrRights.Error()
	}
	return e.Origin + " answered 401: " + ErrLogin.Error()
}

// Unwrap returns ErrLogin or ErrRights.
func (e *LoginError) Unwrap() error {
	if e.Challenge.MoreRights {
		return ErrRights
	}
	return ErrLogin
}

// loginError returns the error of an answer that asks for a login or for more
// rights; nil if it does not.
func (r *remote) loginError(code int, h http.Header) error {
	c := oauth.ParseChallenge(h)
	c.MoreRights = code == http.StatusForbidden && c.MoreRights
	if code != http.StatusUnauthorized && !c.MoreRights {
		return nil
	}
	return &LoginError{Origin: r.origin.String(), Challenge: c}
}
