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
	Tool   string    `json:"tool,omitempty"` // empty: the server itself
	Hash   string    `json:"hash,omitempty"`
}

// ApproveTool approves the waiting definition of one tool, which has this hash.
func (c *Client) ApproveTool(ctx context.Context, server, tool, hash string) error {
	return c.do(ctx, http.MethodPost, quarantinePath(server)+"/approve", ApproveRequest{Hash: hash, Tool: tool}, nil)
}

// Block keeps a server, or one of its tools, from agents until it is unblocked.
func (c *Client) Block(ctx context.Context, server, tool string, blocked bool) error {
	return c.do(ctx, http.MethodPost, quarantinePath(server)+"/block", BlockRequest{Tool: tool, Blocked: blocked}, nil)
}

// History returns what happened at the gate to a server, to all if it is empty,
// newest first, at most limit events.
func (c *Client) History(ctx context.Context, server string, limit int) ([]ReviewEvent, error) {
	var list []ReviewEvent
	q := url.Values{"server": {server}, "limit": {strconv.Itoa(limit)}}
	err := c.do(ctx, http.MethodGet, "/api/v1/quarantine/history?"+q.Encode(), nil, &list)
	return list, err
}
