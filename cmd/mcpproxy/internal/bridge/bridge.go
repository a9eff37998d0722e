// Package bridge carries one MCP session between a client that speaks only on
// stdin and stdout and the running instance's endpoint. Messages pass as the
// bytes they are. A restart of the instance is survived: the session is opened
// anew with the client's own initialize, and the client is told to list again.
package bridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Endpoint is one instance. Safe for concurrent use.
type Endpoint interface {
	// MCP sends one request to /mcp and returns the response as it came.
	MCP(ctx context.Context, method string, header http.Header, body []byte) (*http.Response, error)
	Close()
}

// Options of [Run].
type Options struct {
	// Dial finds the running instance. Its error is what a client is told.
	Dial func() (Endpoint, error)
	// Patience is how long a message waits for an instance; 0 means 10 s.
	Patience time.Duration
	Out      io.Writer // one message a line
	Log      io.Writer // for people; nil discards
}

const (
	defaultPatience = 10 * time.Second
	retry           = 100 * time.Millisecond
	maxLine         = 16 << 20 // bytes of one message, as the endpoint's own limit
	goodbye         = 2 * time.Second
)

// bridge is one run of it.
type bridge struct {
	opt  Options
	out  sync.Mutex
	work sync.WaitGroup // requests and the listening stream

	mu      sync.Mutex
	hello   []byte // the client's initialize, to open a session anew
	session *session
}

// Run passes messages until in ends and every request is answered, or ctx ends.
// It returns an error only if in cannot be read or a line is over 16 MB.
func Run(ctx context.Context, in io.Reader, opt Options) error {
	if opt.Patience == 0 {
		opt.Patience = defaultPatience
	}
	if opt.Log == nil {
		opt.Log = io.Discard
	}
	b := &bridge{opt: opt}
	listen, stop := context.WithCancel(ctx)
	defer stop()
	lines := make(chan []byte)
	failed := make(chan error, 1)
	go func() { // ends with the process where stdin never does
		failed <- readLines(listen, in, lines)
		close(lines)
	}()
	err := b.passAll(ctx, listen, lines, failed)
	b.work.Wait()
	stop()
	b.end(ctx)
	return err
}

// passAll forwards lines until there are no more, or ctx ends, whatever a reader
// that cannot be interrupted does then.
func (b *bridge) passAll(ctx, listen context.Context, lines <-chan []byte, failed <-chan error) error {
	for {
		select {
		case line, more := <-lines:
			if !more {
				return <-failed
			}
			b.pass(ctx, listen, line)
		case <-ctx.Done():
			return nil
		}
	}
}

// readLines sends each line that holds something.
func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) error {
	r := bufio.NewScanner(in)
	r.Buffer(make([]byte, 64<<10), maxLine)
	for r.Scan() {
		line := bytes.TrimSpace(r.Bytes())
		if len(line) == 0 {
			continue
		}
		select {
		case lines <- bytes.Clone(line):
		case <-ctx.Done():
			return nil
		}
	}
	return r.Err()
}

// envelope is what the bridge reads of a message.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name string                     `json:"name"`
		URI  string                     `json:"uri"`
		Meta map[string]json.RawMessage `json:"_meta"`
	} `json:"params"`
}

// pass forwards one message. Requests run side by side; what expects no answer
// keeps its order.
func (b *bridge) pass(ctx, listen context.Context, line []byte) {
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil && line[0] != '[' {
		b.fail(nil, -32700, "this line is no JSON-RPC message")
		return
	}
	switch {
	case e.Method == "initialize":
		b.mu.Lock()
		b.hello = line
		b.mu.Unlock()
		b.deliver(ctx, e, line)
	case e.Method == "notifications/initialized":
		b.deliver(ctx, e, line)
		b.listen(listen)
	case len(e.ID) > 0 && e.Method != "":
		b.work.Go(func() { b.deliver(ctx, e, line) })
	default:
		b.deliver(ctx, e, line)
	}
}

// deliver posts a message, with a new session if the old one is gone, and writes
// what answers it.
func (b *bridge) deliver(ctx context.Context, e envelope, line []byte) {
	s, err := b.current(ctx, e.Method == "initialize")
	if err == nil {
		err = s.post(ctx, b, e, line)
	}
	if errors.Is(err, errGone) { // not executed: once more, in a session that is new
		if e.Method == "initialize" {
			s, err = b.current(ctx, true)
		} else {
			s, err = b.renew(ctx, s)
		}
		if err == nil {
			err = s.post(ctx, b, e, line)
		}
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(b.opt.Log, "mcpproxy stdio: %v\n", err)
		if e.Method != "" && len(e.ID) > 0 {
			b.fail(e.ID, -32000, err.Error())
		}
	}
}

// write puts one message on a line of its own.
func (b *bridge) write(message []byte) {
	var line bytes.Buffer
	if json.Compact(&line, message) != nil {
		return // not JSON: nothing that a client could read
	}
	line.WriteByte('\n')
	b.out.Lock()
	defer b.out.Unlock()
	_, _ = b.opt.Out.Write(line.Bytes()) // a client that is gone also ends stdin
}

// fail answers a request with an error of the bridge. A nil id is null.
func (b *bridge) fail(id json.RawMessage, code int, message string) {
	if id == nil {
		id = json.RawMessage("null")
	}
	answer, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": code, "message": message}})
	if err == nil {
		b.write(answer)
	}
}

// end closes the session at the instance.
func (b *bridge) end(ctx context.Context) {
	b.mu.Lock()
	s := b.session
	b.mu.Unlock()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if s.id != "" {
		if resp, err := s.endpoint.MCP(ctx, http.MethodDelete, s.header(envelope{}), nil); err == nil {
			_ = resp.Body.Close()
		}
	}
	s.endpoint.Close()
}
