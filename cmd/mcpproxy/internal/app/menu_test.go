package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/sse"
)

// TestReload_AnnouncesTheMenu: agents hear that the configuration gave or took
// one of our own tools.
func TestReload_AnnouncesTheMenu(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	post := func(id, message string) (session string) {
		header, _ := r.mcp(http.MethodPost, id, message)
		return header.Get("Mcp-Session-Id")
	}
	session := post("", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	post(session, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	r.top["disable_management"] = true
	r.configure()
	_, stream := r.mcp(http.MethodGet, session, "")
	told := false
	err := sse.Read(stream, func(_ string, data []byte) error {
		if told = bytes.Contains(data, []byte(`"notifications/tools/list_changed"`)); told {
			return io.EOF
		}
		return nil
	})
	if !told {
		t.Errorf("the stream ended without list_changed: %v", err)
	}
}

// mcp sends a message to the endpoint as a client of session does; an answer ends
// within a minute.
func (r *rig) mcp(method, session, message string) (http.Header, io.Reader) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	r.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, r.url+"/mcp", strings.NewReader(message))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if session != "" {
		req.Header.Set("Mcp-Session-Id", session)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	return resp.Header, resp.Body
}
