package upstreamtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Streamable serves s over streamable HTTP as a chatty server does: each POST is
// answered with an event stream, in which notifications come before the answer,
// and GET opens a stream for those that belong to no request. [Die] ends its
// sessions.
func (s *Server) Streamable() http.Handler {
	return &streamable{server: s, sessions: map[string]bool{}}
}

type streamable struct {
	server   *Server
	mu       sync.Mutex
	next     int
	sessions map[string]bool
}

func (h *streamable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		h.server.follow(w, r, "", func(*peer) {})
		return
	case http.MethodPost:
	default:
		return
	}
	var m message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if !h.enter(w, r, m.Method == "initialize") {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	if len(m.ID) == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	p := &peer{out: events{w}, cancel: func() {}}
	if h.server.handle(r.Context(), p, m) != nil {
		h.mu.Lock()
		clear(h.sessions)
		h.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
}

// enter begins a session, or reports whether the request is of one.
func (h *streamable) enter(w http.ResponseWriter, r *http.Request, begins bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !begins {
		return h.sessions[r.Header.Get(sessionHeader)]
	}
	h.next++
	id := fmt.Sprintf("session-%d", h.next)
	h.sessions[id] = true
	w.Header().Set(sessionHeader, id)
	return true
}

// SSE serves s over the HTTP+SSE transport of MCP 2024-11-05: GET opens the
// stream and names where to POST.
func (s *Server) SSE() http.Handler { return &sse{server: s, streams: map[string]*eventStream{}} }

type sse struct {
	server  *Server
	mu      sync.Mutex
	streams map[string]*eventStream
	next    int
}

// eventStream is one client's; what its POSTs ask is answered on it.
type eventStream struct {
	ctx  context.Context // ends with it
	peer *peer
}

func (h *sse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		h.mu.Lock()
		h.next++
		id := fmt.Sprint(h.next)
		h.mu.Unlock()
		h.server.follow(w, r, "?session="+id, func(p *peer) {
			h.mu.Lock()
			h.streams[id] = &eventStream{r.Context(), p}
			h.mu.Unlock()
		})
		return
	}
	h.mu.Lock()
	stream := h.streams[r.URL.Query().Get("session")]
	h.mu.Unlock()
	var m message
	if stream == nil || json.NewDecoder(r.Body).Decode(&m) != nil {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	http.NewResponseController(w).Flush()
	if h.server.handle(stream.ctx, stream.peer, m) != nil { // the POST's own context ends with its answer
		stream.peer.cancel()
	}
}

// follow keeps a stream open on which the server may say something, and tells
// begun its peer.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, endpoint string, begun func(*peer)) {
	ended := make(chan struct{})
	p := &peer{out: events{w}, cancel: sync.OnceFunc(func() { close(ended) })}
	begun(p)
	s.mu.Lock()
	if s.peers == nil {
		s.peers = map[*peer]struct{}{}
	}
	s.peers[p] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.peers, p)
		s.mu.Unlock()
		p.mu.Lock()
		p.out = io.Discard // w is nobody's any more
		p.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	p.mu.Lock()
	if endpoint != "" {
		_, _ = io.WriteString(w, "event: endpoint\ndata: "+endpoint+"\n\n") // relative to where the client is
	}
	_ = http.NewResponseController(w).Flush()
	p.mu.Unlock()
	select {
	case <-ended:
	case <-r.Context().Done():
	}
}

// events writes each line as one event.
type events struct{ w http.ResponseWriter }

func (e events) Write(line []byte) (int, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: message\ndata: %s\n\n", bytes.TrimSpace(line))
	if _, err := io.Copy(e.w, &out); err != nil {
		return 0, err
	}
	return len(line), http.NewResponseController(e.w).Flush()
}
