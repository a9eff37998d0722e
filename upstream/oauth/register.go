package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How a client proves itself at the token endpoint (RFC 7591, section 2).
const (
	methodNone  = "none"
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
)

// registration is a client at one authorization server.
type registration struct {
	ID       string    `json:"id"`
	Secret   string    `json:"secret,omitempty"`
	Method   string    `json:"method"`
	Redirect string    `json:"redirect"`          // http://127.0.0.1:PORT/callback
	Dynamic  bool      `json:"dynamic,omitempty"` // registered by us, so we may do it again
	Expires  time.Time `json:"expires,omitzero"`  // of Secret; zero: never
}

// usable reports whether a kept registration may be used again for a login with
// this redirect URI.
func (r *registration) usable(redirect string) bool {
	return r != nil && r.Dynamic && r.ID != "" && r.Redirect == redirect && (r.Expires.IsZero() || time.Now().Before(r.Expires))
}

// configured returns the client that the configuration names, or nil if the
// login needs one of our own. An https URL as client_id is a client metadata
// document, which only some servers know.
func configured(s Server, secret string, m *serverMetadata, redirect string) (*registration, error) {
	if s.ClientID == "" || strings.HasPrefix(s.ClientID, "https://") && secret == "" && !m.ClientDocuments {
		return nil, nil
	}
	r := &registration{ID: s.ClientID, Secret: secret, Method: methodNone, Redirect: redirect}
	if secret != "" {
		known := m.AuthMethods
		if len(known) == 0 {
			known = []string{methodBasic} // RFC 8414, section 2
		}
		r.Method = firstOf(known, methodBasic, methodPost)
		if r.Method == "" {
			return nil, fmt.Errorf("%w: the authorization server takes a client_secret in no way that this program knows", ErrRegistration)
		}
	}
	return r, nil
}

func firstOf(known []string, wanted ...string) string {
	for _, w := range wanted {
		if slices.Contains(known, w) {
			return w
		}
	}
	return ""
}

// register makes a new client (RFC 7591). The error wraps ErrRegistration.
func (f *fetcher) register(ctx context.Context, m *serverMetadata, redirect string, scopes []string) (*registration, error) {
	if m.Register == "" {
		return nil, fmt.Errorf("%w: the authorization server takes no new clients by itself\nhint: register one there and write its client_id, and client_secret if it has one, under \"oauth\" of this server", ErrRegistration)
	}
	method := methodNone
	if len(m.AuthMethods) > 0 {
		if method = firstOf(m.AuthMethods, methodNone, methodBasic, methodPost); method == "" {
			return nil, fmt.Errorf("%w: the authorization server lets clients prove themselves in no way that this program knows", ErrRegistration)
		}
	}
	wish := map[string]any{
		"client_name": "mcpproxy", "redirect_uris": []string{redirect}, "token_endpoint_auth_method": method,
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"application_type": "native",
	}
	if len(scopes) > 0 { // strict servers refuse an empty one
		wish["scope"] = strings.Join(scopes, " ")
	}
	body, err := json.Marshal(wish)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Register, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegistration, ErrUnsafeURL)
	}
	req.Header.Set("Content-Type", "application/json")
	got, err := f.do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegistration, err)
	}
	if got.status != http.StatusCreated && got.status != http.StatusOK {
		return nil, fmt.Errorf("%w: %w", ErrRegistration, refusal(got))
	}
	var made struct {
		ID      string `json:"client_id"`
		Secret  string `json:"client_secret"`
		Method  string `json:"token_endpoint_auth_method"`
		Expires int64  `json:"client_secret_expires_at"`
	}
	if err := json.Unmarshal(got.body, &made); err != nil || made.ID == "" {
		return nil, fmt.Errorf("%w: the answer holds no client_id", ErrRegistration)
	}
	r := &registration{ID: made.ID, Secret: made.Secret, Method: method, Redirect: redirect, Dynamic: true}
	if slices.Contains([]string{methodNone, methodBasic, methodPost}, made.Method) {
		r.Method = made.Method
	}
	if r.Method != methodNone && r.Secret == "" {
		return nil, fmt.Errorf("%w: the answer holds no client_secret", ErrRegistration)
	}
	if made.Expires > 0 && r.Method != methodNone {
		r.Expires = time.Unix(made.Expires, 0)
	}
	return r, nil
}
