package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// grant asks the token endpoint for tokens and checks what it gives. The error
// wraps ErrTokens, and an answerError if the endpoint said why.
func (f *fetcher) grant(ctx context.Context, endpoint string, client *registration, form url.Values) (*token, error) {
	got, err := f.post(ctx, endpoint, client, form)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokens, err)
	}
	if got.status != http.StatusOK {
		return nil, fmt.Errorf("%w: %w", ErrTokens, refusal(got))
	}
	var body struct {
		Access  string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Refresh string      `json:"refresh_token"`
		Scope   string      `json:"scope"`
		Life    json.Number `json:"expires_in"` // some send a string
		Error   string      `json:"error"`      // GitHub sends errors with status 200
	}
	switch err := json.Unmarshal(got.body, &body); {
	case err != nil:
		return nil, fmt.Errorf("%w: its answer holds no tokens", ErrTokens)
	case body.Error != "":
		return nil, fmt.Errorf("%w: %w", ErrTokens, refusal(answer{status: http.StatusBadRequest, body: got.body}))
	case !strings.EqualFold(body.Type, "bearer"):
		return nil, fmt.Errorf("%w: its tokens are not of type bearer", ErrTokens)
	case !isBearer(body.Access) || body.Refresh != "" && strings.ContainsFunc(body.Refresh, isControl):
		return nil, fmt.Errorf("%w: its answer holds no usable access token", ErrTokens)
	}
	seconds, _ := body.Life.Float64() // absent or odd: it lives until the server refuses it
	return newToken(body.Access, body.Refresh, body.Scope, seconds), nil
}

// isBearer reports whether s can stand in an Authorization header (RFC 6750,
// section 2.1).
func isBearer(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// post sends a form to an endpoint that a client proves itself at.
func (f *fetcher) post(ctx context.Context, endpoint string, client *registration, form url.Values) (answer, error) {
	switch client.Method {
	case methodPost:
		form.Set("client_id", client.ID)
		form.Set("client_secret", client.Secret)
	case methodNone:
		form.Set("client_id", client.ID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, ErrUnsafeURL
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client.Method == methodBasic { // RFC 6749, section 2.3.1
		req.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
	}
	return f.do(req)
}

// refusal is what a bad status means: the error code of its body where that is
// one, and nothing else of it.
func refusal(got answer) error {
	var body struct {
		Error string `json:"error"`
	}
	if got.status >= 400 && got.status < 500 && json.Unmarshal(got.body, &body) == nil && isCode(body.Error) {
		return &answerError{code: body.Error}
	}
	return fmt.Errorf("it answered %d", got.status)
}

// isCode reports whether s looks like an error code and not like a text.
func isCode(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
}
