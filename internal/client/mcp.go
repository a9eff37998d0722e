package client

import (
	"bytes"
	"context"
	"net/http"
)

// MCP sends one request to the instance's MCP endpoint with the given headers
// and returns the response as it came, whatever its status. The caller closes
// its body.
func (c *Client) MCP(ctx context.Context, method string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/mcp", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return c.http.Do(req)
}
