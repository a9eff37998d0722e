// Package mcpclient is a small MCP client over streamable HTTP, for this
// program's own demonstration, benchmark and end-to-end tests. Results stay
// bytes, so that a test can compare them with what an upstream sent.
package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"mcpproxy/internal/sse"
)

// protocolVersion is the newest revision with the initialize handshake.
const protocolVersion = "2025-11-25"

// ErrTool is wrapped when a tool answered with isError.
var ErrTool = errors.New("tool error")

// RPCError is a JSON-RPC error answer.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error returns the code and the message.
func (e *RPCError) Error() string { return fmt.Sprintf("JSON-RPC error %d: %s", e.Code, e.Message) }

// Session is one initialized MCP session. Safe for concurrent use.
type Session struct {
	// Initialized is the result of initialize.
	Initialized json.RawMessage

	url  string
	http *http.Client
	id   string
	next atomic.Int64
}

// Open initializes a session at url, such as "http://127.0.0.1:8080/mcp".
func Open(ctx context.Context, url string) (*Session, error) {
	s := &Session{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	var err error
	s.Initialized, err = s.Request(ctx, "initialize", map[string]any{
		"protocolVersion": protocolVersion, "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "mcpproxy-client", "version": "1"},
	})
	if err != nil {
		return nil, err
	}
	return s, s.post(ctx, map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"}, nil)
}

// Close ends the session at the server and drops its connections.
func (s *Session) Close(ctx context.Context) error {
	defer s.http.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Mcp-Session-Id", s.id)
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Call calls one tool and returns its result object. A result with isError is
// returned together with an error wrapping [ErrTool].
func (s *Session) Call(ctx context.Context, name string, args any) (json.RawMessage, error) {
	raw, err := s.Request(ctx, "tools/call", map[string]any{"name": name, "arguments": args})
	if err != nil {
		return nil, err
	}
	var result struct {
		IsError bool `json:"isError"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return nil, err
	}
	if result.IsError {
		return raw, fmt.Errorf("%w: %s: %.300s", ErrTool, name, Text(raw))
	}
	return raw, nil
}

// Text returns the text blocks of a tool result, one after another.
func Text(result json.RawMessage) string {
	var r struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
	}
	if json.Unmarshal(result, &r) != nil {
		return ""
	}
	var b strings.Builder
	for _, c := range r.Content {
		if c.Type == "text" {
			b.WriteString(c.Text)
		}
	}
	return b.String()
}

// Request sends one request and returns its result. A JSON-RPC error answer is
// a [*RPCError].
func (s *Session) Request(ctx context.Context, method string, params any) (json.RawMessage, error) {
	var answer reply
	message := map[string]any{"jsonrpc": "2.0", "id": s.next.Add(1), "method": method, "params": params}
	if err := s.post(ctx, message, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("%s: %w", method, answer.Error)
	}
	return answer.Result, nil
}

type reply struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  *RPCError       `json:"error"`
}

func (s *Session) post(ctx context.Context, message any, answer *reply) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if s.id != "" {
		req.Header.Set("Mcp-Session-Id", s.id)
		req.Header.Set("MCP-Protocol-Version", protocolVersion)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("HTTP %d: %s", resp.StatusCode, bytes.TrimSpace(text))
	}
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		s.id = id
	}
	if answer == nil {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	return decode(resp, answer)
}

func decode(resp *http.Response, answer *reply) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/event-stream" {
		return decodeStream(resp.Body, answer)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, answer)
}

// decodeStream skips notifications until the answer comes.
func decodeStream(body io.Reader, answer *reply) error {
	found := false
	err := sse.Read(body, func(_ string, data []byte) error {
		var message reply
		if err := json.Unmarshal(data, &message); err != nil {
			return err
		}
		if message.Method != "" || len(message.ID) == 0 {
			return nil
		}
		*answer, found = message, true
		return io.EOF
	})
	if found {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stream ended before the answer: %w", err)
}
