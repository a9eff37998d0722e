package client

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrNotRunning is returned by [Dial] if no instance answers.
var ErrNotRunning = errors.New("no mcpproxy is running on this data directory")

const dialTimeout = time.Second

// Dial returns a client of the instance that serves dataDir, or an error
// wrapping [ErrNotRunning] if none answers within a second.
func Dial(dataDir string) (*Client, error) {
	addr, err := LocalAddress(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, err
	}
	c := &Client{base: "http://localhost", http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			d := net.Dialer{Timeout: dialTimeout}
			return d.DialContext(ctx, addr.Network, addr.Addr)
		},
		IdleConnTimeout: 30 * time.Second,
	}}}
	key := ""
	if addr.Network == "tcp" {
		if key, err = readKey(dataDir); err != nil {
			return nil, err
		}
	}
	if err := c.ping(key); err != nil {
		return nil, err
	}
	c.key = key
	return c, nil
}

func readKey(dataDir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dataDir, KeyFile))
	if err != nil {
		return "", fmt.Errorf("API key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// ping asks whether anybody is there and, with a key, whether it is ours. The
// key itself is not sent.
func (c *Client) ping(key string) error {
	challenge := rand.Text()
	probe := http.Client{Transport: c.http.Transport, Timeout: dialTimeout}
	resp, err := probe.Get(c.base + "/healthz?challenge=" + challenge)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("socket of the instance: %w", fs.ErrPermission)
		}
		return fmt.Errorf("%w (%w)", ErrNotRunning, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrNotRunning, err)
	}
	var h Health
	if json.Unmarshal(data, &h) != nil || h.Status != "ok" {
		return fmt.Errorf("%w: something else answers there", ErrNotRunning)
	}
	if key != "" && subtle.ConstantTimeCompare([]byte(h.Proof), []byte(Proof(key, challenge))) != 1 {
		return fmt.Errorf("%w: another program has taken its port", ErrNotRunning)
	}
	return nil
}

// Close drops idle connections. The instance keeps running.
func (c *Client) Close() { c.http.CloseIdleConnections() }
