package client

import (
	"context"
	"net/http"
	"net/url"
)

// Secrets is the answer of GET /api/v1/secrets: names, never values.
type Secrets struct {
	Backend string   `json:"backend"` // keyring or file
	Secrets []Secret `json:"secrets"` // sorted by name
	// Missing are those that servers use and nobody has set.
	Missing []Secret `json:"missing,omitempty"`
}

// Secret is a name and who uses it.
type Secret struct {
	Name   string   `json:"name"`
	UsedBy []string `json:"used_by,omitempty"` // servers
}

// SecretRequest is the body of PUT /api/v1/secrets/{name}.
type SecretRequest struct {
	Value string `json:"value"`
}

// SecretChange is what came of setting or deleting a secret.
type SecretChange struct {
	Name      string   `json:"name"`
	Restarted []string `json:"restarted,omitempty"` // servers that use it and run anew
}

// Secrets lists the names of all secrets.
func (c *Client) Secrets(ctx context.Context) (Secrets, error) {
	return ask[Secrets](ctx, c, http.MethodGet, "/api/v1/secrets", nil)
}

// SetSecret stores a value, in place of an earlier one.
func (c *Client) SetSecret(ctx context.Context, name, value string) (SecretChange, error) {
	return ask[SecretChange](ctx, c, http.MethodPut, secretPath(name), SecretRequest{Value: value})
}

// DeleteSecret removes a secret.
func (c *Client) DeleteSecret(ctx context.Context, name string) (SecretChange, error) {
	return ask[SecretChange](ctx, c, http.MethodDelete, secretPath(name), nil)
}

// SecretChanged restarts the servers that use a secret which was changed behind
// the instance's back.
func (c *Client) SecretChanged(ctx context.Context, name string) (SecretChange, error) {
	return ask[SecretChange](ctx, c, http.MethodPost, secretPath(name)+"/changed", struct{}{})
}

func secretPath(name string) string { return "/api/v1/secrets/" + url.PathEscape(name) }
