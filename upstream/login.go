package upstream

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// LoginError says that a server answered 401. It wraps ErrLogin.
type LoginError struct {
	Origin           string // scheme and host of the server
	ResourceMetadata string // URL of the challenge (RFC 9728), as the server sent it; may be empty
	Scope            string // of the challenge (RFC 6750); may be empty
}

func (e *LoginError) Error() string { return e.Origin + " answered 401: " + ErrLogin.Error() }

// Unwrap returns ErrLogin.
func (e *LoginError) Unwrap() error { return ErrLogin }

func newLoginError(origin string, h http.Header) *LoginError {
	e := &LoginError{Origin: origin}
	for _, value := range h.Values("WWW-Authenticate") {
		params := challengeParams(value)
		if e.ResourceMetadata == "" {
			e.ResourceMetadata = params["resource_metadata"]
		}
		if e.Scope == "" {
			e.Scope = params["scope"]
		}
	}
	return e
}

// challengeParams returns the parameters of a WWW-Authenticate value (RFC 9110,
// section 11.6.1) by lower-case name, the first of each over all its challenges.
func challengeParams(value string) map[string]string {
	params := map[string]string{}
	for value != "" {
		i := strings.IndexAny(value, "=, ")
		if i < 0 {
			break
		}
		name, sep := strings.ToLower(value[:i]), value[i]
		value = strings.TrimLeft(value[i+1:], " ")
		if sep != '=' {
			continue // a scheme, or an empty list element
		}
		var v string
		v, value = challengeValue(value)
		if _, seen := params[name]; !seen && httpguts.ValidHeaderFieldName(name) { // a token
			params[name] = v
		}
	}
	return params
}

// challengeValue cuts a token or quoted string from the front of s.
func challengeValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, ", ")
		if i < 0 {
			return s, ""
		}
		return s[:i], s[i:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "" // no closing quote: nothing to trust
}
