package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// InProcess returns a client of a handler in this process. The handler sees the
// requests that an instance would see on its local socket; long answers stream.
func InProcess(h http.Handler) *Client {
	return &Client{base: "http://localhost", http: &http.Client{Transport: memory{h}}}
}

// memory is a RoundTripper without a network. Closing a response body, or
// ending the request's context, ends the handler's context and waits for it.
type memory struct{ handler http.Handler }

func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	served := req.Clone(ctx)
	served.RequestURI = req.URL.RequestURI()
	served.RemoteAddr = "@"
	if served.Body == nil {
		served.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: pw, started: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer served.Body.Close()
		defer func() {
			if r := recover(); r != nil { // as net/http does for one connection
				_ = pw.CloseWithError(fmt.Errorf("handler: %v", r))
			}
			w.WriteHeader(http.StatusInternalServerError)
		}()
		m.handler.ServeHTTP(w, served)
		w.WriteHeader(http.StatusOK)
		_ = pw.Close()
	}()
	body := &pipeBody{PipeReader: pr, stop: cancel, done: done}
	select {
	case <-w.started:
	case <-ctx.Done():
		_ = body.Close()
		return nil, ctx.Err()
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: req,
	}, nil
}

// pipeBody is the response body. Close is idempotent.
type pipeBody struct {
	*io.PipeReader
	stop context.CancelFunc
	done chan struct{}
}

func (b *pipeBody) Close() error {
	b.stop()
	err := b.PipeReader.Close()
	<-b.done
	return err
}

// pipeWriter is the handler's side. Every Write reaches the reader before it
// returns, so Flush has nothing to do but to send the header.
type pipeWriter struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
	status  int         // set before started is closed
	sent    http.Header // likewise
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.started)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements [http.Flusher].
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }
