package client

import (
	"context"
	"net/http"
)

// Shutdown ends the instance. It returns once the end has begun; calls in flight
// have three seconds.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/api/v1/shutdown", struct{}{}, nil)
}
