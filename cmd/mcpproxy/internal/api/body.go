package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"mcpproxy/internal/client"
)

// The limits of a body.
const (
	maxBody         = 16 << 20
	maxOpenBody     = 64 << 10 // of who did not say who it is
	readBodyTimeout = 30 * time.Second
)

// readBody replaces the body by its bytes, so that no route waits for a slow
// client. It comes after the question who asks: strangers fill no memory. The
// deadline covers the body alone; what the route answers may take as long as it
// takes.
func readBody(w http.ResponseWriter, r *http.Request, most int64) *refusal {
	if r.ContentLength > most {
		return tooLarge()
	}
	if r.ContentLength == 0 {
		return nil
	}
	control := http.NewResponseController(w)
	timed := control.SetReadDeadline(time.Now().Add(readBodyTimeout)) == nil // not in memory
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge()
	case err != nil:
		return &refusal{http.StatusRequestTimeout, client.Error{Code: client.CodeInvalid, Message: "the body did not arrive whole"}}
	}
	if timed {
		_ = control.SetReadDeadline(time.Time{})
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	r.ContentLength = int64(len(data))
	return nil
}

func tooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, client.Error{Code: client.CodeInvalid, Message: "the body is too large"}}
}

// bodyLimit is the most that a route takes.
func bodyLimit(r route) int64 {
	if r.access == open {
		return maxOpenBody
	}
	return maxBody
}
