package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Challenge is what a server said with 401, or with 403 insufficient_scope.
type Challenge struct {
	ResourceMetadata string // URL (RFC 9728), as the server sent it; may be empty
	Scope            string // (RFC 6750); may be empty
	MoreRights       bool   // 403: the login is good, its scopes do not suffice
}

// ParseChallenge reads the WWW-Authenticate headers of an answer.
func ParseChallenge(h http.Header) Challenge {
	var c Challenge
	for _, value := range h.Values("WWW-Authenticate") {
		params := challengeParams(value)
		if c.ResourceMetadata == "" {
			c.ResourceMetadata = params["resource_metadata"]
		}
		if c.Scope == "" {
			c.Scope = params["scope"]
		}
		c.MoreRights = c.MoreRights || params["error"] == "insufficient_scope"
	}
	return c
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

// probe asks the MCP server for its challenge with a first message and no token.
func (f *fetcher) probe(ctx context.Context, u *url.URL) (c Challenge, asked bool, err error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": map[string]any{
		"protocolVersion": protocolVersion, "capabilities": struct{}{}, "clientInfo": map[string]string{"name": "mcpproxy", "version": "1"}}})
	if err != nil {
		return c, false, err
	}
	for _, method := range []string{http.MethodPost, http.MethodGet} { // the old SSE transport has no POST here
		req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
		if err != nil {
			return c, false, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, "+eventStream)
		got, err := f.do(req)
		if err != nil {
			return c, false, err
		}
		if got.status == http.StatusUnauthorized {
			c = ParseChallenge(got.header)
			c.MoreRights = false // it says so with 403 only
			return c, true, nil
		}
		body = nil
	}
	return c, false, nil
}

// forgot reports whether the authorization server says at once that it does not
// know the client. Otherwise the person would find that on its page, from where
// nothing leads back.
func (f *fetcher) forgot(ctx context.Context, authorize string) bool {
	u, err := url.Parse(authorize)
	if err != nil {
		return false
	}
	q := u.Query()
	q.Set("state", "check") // not one that is waited for
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false
	}
	got, err := f.do(req)
	return err == nil && (says(refusal(got), "invalid_client") || says(refusal(got), "unauthorized_client"))
}
