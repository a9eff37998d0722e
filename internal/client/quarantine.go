package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ReviewEvent is one thing that happened at the gate.
type ReviewEvent struct {
	Time   time.Time `json:"time"`
	What   string    `json:"what"` // approved, held, changed, applied, reverted, flapping, trusted, blocked, unblocked or forgotten
	Server string    `json:"server"`
	Tool   string    `json:"tool,omitempty"` // name of the definition; empty: the server itself
	Kind   string    `json:"kind,omitempty"` // of the definition, as Tool.Kind; empty where Tool is
	Hash   string    `json:"hash,omitempty"`
}

// Page returns what waits of a server as it was listed last; it starts nothing.
func (c *Client) Page(ctx context.Context, server string) (Waiting, error) {
	return ask[Waiting](ctx, c, http.MethodGet, quarantinePath(server)+"/page", nil)
}

// ApproveItem approves the one waiting definition that what names: a tool, a
// prompt, a resource and so on.
func (c *Client) ApproveItem(ctx context.Context, server string, what ApproveRequest) error {
	return c.do(ctx, http.MethodPost, quarantinePath(server)+"/approve", what, nil)
}

// Block keeps a server, or one of its definitions, from agents, or ends that.
func (c *Client) Block(ctx context.Context, server string, what BlockRequest) error {
	return c.do(ctx, http.MethodPost, quarantinePath(server)+"/block", what, nil)
}

// History returns what happened at the gate to a server, to all if it is empty,
// newest first, at most limit events.
func (c *Client) History(ctx context.Context, server string, limit int) ([]ReviewEvent, error) {
	q := url.Values{"server": {server}, "limit": {strconv.Itoa(limit)}}
	return ask[[]ReviewEvent](ctx, c, http.MethodGet, "/api/v1/quarantine/history?"+q.Encode(), nil)
}
