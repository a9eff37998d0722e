package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// session is one MCP client over streamable HTTP.
type session struct {
	url  string
	http *http.Client
	id   string
	next atomic.Int64
}

func openSession(ctx context.Context, url string) (*session, error) {
	s := &session{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	_, err := s.request(ctx, "initialize", map[string]any{
		"protocolVersion": "2025-11-25", "capabilities": map[string]any{},
		"clientInfo": map[string]any{"name": "mcpproxy-bench", "version": "1"},
	})
	if err != nil {
		return nil, err
	}
	return s, s.post(ctx, map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"}, nil)
}

// call calls one tool and returns its result object.
func (s *session) call(ctx context.Context, name string, args any) (json.RawMessage, error) {
	raw, err := s.request(ctx, "tools/call", map[string]any{"name": name, "arguments": args})
	if err != nil {
		return nil, err
	}
	var verdict struct {
		IsError bool `json:"isError"`
	}
	if err := json.Unmarshal(raw, &verdict); err != nil {
		return nil, err
	}
	if verdict.IsError {
		return nil, fmt.Errorf("%s: %.300s", name, raw)
	}
	return raw, nil
}

func (s *session) request(ctx context.Context, method string, params any) (json.RawMessage, error) {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	err := s.post(ctx, map[string]any{"jsonrpc": "2.0", "id": s.next.Add(1), "method": method, "params": params}, &answer)
	if err == nil && len(answer.Error) > 0 {
		err = fmt.Errorf("%s: %s", method, answer.Error)
	}
	return answer.Result, err
}

func (s *session) post(ctx context.Context, message, answer any) error {
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
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		s.id = id
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("HTTP %d: %.200s", resp.StatusCode, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}
