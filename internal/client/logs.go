package client

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
)

// Logs is the answer of GET /api/v1/servers/{name}/logs.
type Logs struct {
	Lines []string `json:"lines"` // oldest first
}

// LogLine is one event of GET /api/v1/servers/{name}/logs?follow=true.
type LogLine struct {
	Line string `json:"line"`
}

// Logs returns the last lines of the upstream's own log, oldest first.
func (c *Client) Logs(ctx context.Context, name string, lines int) ([]string, error) {
	l, err := ask[Logs](ctx, c, http.MethodGet, serverPath(name)+"/logs?lines="+strconv.Itoa(lines), nil)
	return l.Lines, err
}

// FollowLogs calls each for the last lines of the upstream's own log and for
// every line that is written from then on, until ctx or the stream ends.
func (c *Client) FollowLogs(ctx context.Context, name string, lines int, each func(line string)) error {
	path := serverPath(name) + "/logs?follow=true&lines=" + strconv.Itoa(lines)
	return c.follow(ctx, path, "", func(_ string, data []byte) error {
		var l LogLine
		if err := json.Unmarshal(data, &l); err != nil {
			return err
		}
		each(l.Line)
		return nil
	})
}
