package upstreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Handler serves s over streamable HTTP: one JSON answer per POST, sessions by
// header, no GET stream. Forget ends all sessions, as a restart would.
func (s *Server) Handler() *Handler { return &Handler{server: s, sessions: map[string]bool{}} }

// Handler is the HTTP face of a [Server].
type Handler struct {
	server   *Server
	mu       sync.Mutex
	sessions map[string]bool
	next     int
	status   int
}

// Forget ends all sessions: their requests are answered 404.
func (h *Handler) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.sessions)
}

// Refuse answers every request with status, such as 401; 0 ends that.
func (h *Handler) Refuse(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

const sessionHeader = "Mcp-Session-Id"

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var m message
	h.mu.Lock()
	status, known := h.status, h.sessions[r.Header.Get(sessionHeader)]
	h.mu.Unlock()
	switch {
	case status != 0:
		http.Error(w, http.StatusText(status), status)
		return
	case r.Method == http.MethodDelete:
		return
	case r.Method != http.MethodPost:
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	case err != nil || json.Unmarshal(body, &m) != nil:
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	case m.Method != "initialize" && !known:
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	if m.Method == "initialize" {
		h.mu.Lock()
		h.next++
		id := fmt.Sprintf("session-%d", h.next)
		h.sessions[id] = true
		h.mu.Unlock()
		w.Header().Set(sessionHeader, id)
	}
	var out bytes.Buffer
	p := &peer{out: &out, cancel: func() {}}
	if h.server.handle(r.Context(), p, m) != nil {
		panic(http.ErrAbortHandler)
	}
	if len(m.ID) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	_, _ = io.WriteString(w, lines[len(lines)-1])
}

// MCPGo returns a server of mcp-go with the given definitions, for its
// streamable HTTP and SSE handlers. mcp-go rewrites what it does not know.
func MCPGo(tools ...json.RawMessage) (*server.MCPServer, error) {
	s := server.NewMCPServer("mcp-go", "1", server.WithToolCapabilities(true))
	for _, def := range tools {
		var t mcp.Tool
		if err := json.Unmarshal(def, &t); err != nil {
			return nil, err
		}
		s.AddTool(t, echo)
	}
	return s, nil
}

func echo(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	raw, err := json.Marshal(r.GetRawArguments())
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultText(string(raw)), nil
}
