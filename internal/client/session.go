package client

import (
	"context"
	"net/http"
	"time"
)

// Session is the answer of GET, POST and DELETE /api/v1/session.
type Session struct {
	LoggedIn bool `json:"logged_in"`
	// CSRF goes with every request of a browser but those of event streams, as
	// X-CSRF-Token. Only the answer of POST has it.
	CSRF string `json:"csrf_token,omitempty"`
}

// LoginRequest is the body of POST /api/v1/session.
type LoginRequest struct {
	Once string `json:"once"` // of the fragment of a [Link]
}

// Link is the answer of POST /api/v1/session/link: it opens the page and logs
// one browser in, once.
type Link struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// Link makes a one-time link to the page of the instance.
func (c *Client) Link(ctx context.Context) (Link, error) {
	return ask[Link](ctx, c, http.MethodPost, "/api/v1/session/link", struct{}{})
}
