package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat      = 15 * time.Second
	sseWrite       = 10 * time.Second       // for what a client does not read
	ssePause       = 100 * time.Millisecond // between two looks, so that bursts merge
	sseReconnectMS = 2000
)

// sse writes one answer of text/event-stream.
type sse struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error // of the first write that failed
}

func newSSE(w http.ResponseWriter) *sse {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	s := &sse{w: w, control: http.NewResponseController(w)}
	s.write(fmt.Appendf(nil, "retry: %d\n\n", sseReconnectMS))
	return s
}

// send writes v as JSON, which has no line end. id must have none either; an
// empty one is not sent.
func (s *sse) send(id string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.err = err
		return
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	s.write(fmt.Appendf(nil, "%sdata: %s\n\n", id, data))
}

// ping keeps the way open and finds out whether the client is there.
func (s *sse) ping() { s.write([]byte(": \n\n")) }

func (s *sse) write(text []byte) {
	if s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(sseWrite)) // in memory there is none
	if _, s.err = s.w.Write(text); s.err == nil {
		s.err = s.control.Flush()
	}
	_ = s.control.SetWriteDeadline(time.Time{})
}
