package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Scanned is what the scanner found in one definition that waits.
type Scanned struct {
	ID     string          `json:"id"`
	Report json.RawMessage `json:"report"` // scan.Report
}

// Scanned returns what the scanner found in what a server has in quarantine.
func (c *Client) Scanned(ctx context.Context, server string) ([]Scanned, error) {
	return ask[[]Scanned](ctx, c, http.MethodGet, quarantinePath(server)+"/scan", nil)
}
