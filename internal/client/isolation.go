package client

import (
	"context"
	"net/http"
)

// IsolationReport says what the walls of one server are worth.
type IsolationReport struct {
	Server string           `json:"server"`
	Image  string           `json:"image"`
	ID     string           `json:"image_id"`
	Inside bool             `json:"inside"` // a probe looked from inside; else docker was asked about the settings
	OK     bool             `json:"ok"`     // every check is
	Checks []IsolationCheck `json:"checks"`
}

// IsolationCheck is one thing that walls are for.
type IsolationCheck struct {
	What   string `json:"what"`
	Found  string `json:"found"`
	OK     bool   `json:"ok"`
	Advice string `json:"advice,omitempty"`
}

// ExamineIsolation builds the walls of a server around a probe.
func (c *Client) ExamineIsolation(ctx context.Context, server string) (IsolationReport, error) {
	return ask[IsolationReport](ctx, c, http.MethodPost, serverPath(server)+"/isolation", struct{}{})
}
