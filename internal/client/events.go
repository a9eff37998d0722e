package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"mcpproxy/internal/sse"
)

// EventKind says what may have changed.
type EventKind string

// The kinds of [Event], and the routes that then answer something new.
const (
	EventAll        EventKind = "all"        // everything: the first event of a stream that was not resumed
	EventServer     EventKind = "server"     // /api/v1/servers, /api/v1/status; Name is the server
	EventQuarantine EventKind = "quarantine" // /api/v1/quarantine; Name is the server
	EventIndex      EventKind = "index"      // /api/v1/index, /api/v1/tools
	EventAudit      EventKind = "audit"      // /api/v1/audit, /api/v1/stats
	EventConfig     EventKind = "config"     // /api/v1/config, or its fault
	EventSecrets    EventKind = "secrets"    // /api/v1/secrets
)

// Event says "look again", never what there is to see.
type Event struct {
	ID   string    `json:"-"` // for the next call of [Client.Events]
	Kind EventKind `json:"kind"`
	Name string    `json:"name,omitempty"`
}

// Events calls each for every event until ctx ends or the stream does, and
// returns why it ended. With after, the ID of the last event that was seen, the
// instance sends what changed since, as far as it knows; else the first event is
// [EventAll].
func (c *Client) Events(ctx context.Context, after string, each func(Event)) error {
	return c.follow(ctx, "/events", after, func(id string, data []byte) error {
		e := Event{ID: id}
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		each(e)
		return nil
	})
}

// follow calls each for every event of a text/event-stream.
func (c *Client) follow(ctx context.Context, path, after string, each func(id string, data []byte) error) error {
	resp, err := c.send(ctx, http.MethodGet, path, nil, "Last-Event-ID", after)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	err = sse.Read(resp.Body, each)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("the stream broke off: %w", err)
	}
	return nil
}
