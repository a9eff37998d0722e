package api

import (
	"encoding/json"
	"net/http"
	"sync"

	"mcpproxy/internal/client"
)

// stream answers with one JSON object per line, each sent at once. Nothing is
// sent before the first line, so an early error still has its own status. Safe
// for concurrent use.
type stream struct {
	api     *API
	w       http.ResponseWriter
	r       *http.Request
	mu      sync.Mutex
	started bool
}

func (s *stream) send(p client.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(p)
}

func (s *stream) line(p client.Progress) {
	if !s.started {
		s.w.Header().Set("Content-Type", "application/x-ndjson")
		s.w.WriteHeader(http.StatusOK)
		s.started = true
	}
	enc := json.NewEncoder(s.w)
	enc.SetEscapeHTML(false)
	if enc.Encode(p) == nil {
		_ = http.NewResponseController(s.w).Flush()
	}
}

// end sends the last line: result, or the error if there is one.
func (s *stream) end(result client.Progress, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		result.End = true
		s.line(result)
		return
	}
	e := s.api.public(s.r, err)
	if !s.started {
		writeJSON(s.w, statusFor(e), e)
		return
	}
	s.line(client.Progress{Error: e})
}

// frame sends one JSON-RPC frame of a trace. A frame that is no JSON travels as
// a JSON string.
func (s *stream) frame(dir string, frame []byte) {
	if !json.Valid(frame) {
		frame, _ = json.Marshal(string(frame))
	}
	s.send(client.Progress{Dir: dir, Frame: frame})
}
