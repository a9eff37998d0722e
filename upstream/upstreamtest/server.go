package upstreamtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Server is a scriptable MCP server. It may serve many connections at once.
type Server struct {
	Script Script
	// OnCall answers tools/call; nil echoes the arguments. An error becomes a
	// JSON-RPC error.
	OnCall func(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error)
	// Arrived, if set, is told the arguments of every call first of all.
	Arrived func(args json.RawMessage)
	// OnFetch answers prompts/get and resources/read; nil echoes the params.
	OnFetch func(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error)

	mu        sync.Mutex
	tools     []json.RawMessage // nil: Script.Tools
	others    *Others           // nil: Script.Others
	advice    *string           // nil: Script.Instructions
	fetched   []string
	peers     map[*peer]struct{}
	calls     int
	dials     int
	lists     int
	cancelled []string
	flipped   bool
	first     time.Time // of the listings
}

// message is any JSON-RPC message.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// errDie ends the connection.
var errDie = errors.New("die")

// peer is one connection.
type peer struct {
	mu     sync.Mutex
	out    io.Writer
	cancel context.CancelFunc
}

func (p *peer) send(m message) {
	m.JSONRPC = "2.0"
	line, err := json.Marshal(m)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.out.Write(append(line, '\n'))
}

// SetTools replaces the tools and tells every connection.
func (s *Server) SetTools(tools []json.RawMessage) {
	s.mu.Lock()
	s.tools = append([]json.RawMessage{}, tools...)
	s.mu.Unlock()
	s.Broadcast("notifications/tools/list_changed", nil)
}

// Broadcast sends a notification on every connection.
func (s *Server) Broadcast(method string, params json.RawMessage) {
	for _, p := range s.connections() {
		p.send(message{Method: method, Params: params})
	}
}

// Kill ends every connection.
func (s *Server) Kill() {
	for _, p := range s.connections() {
		p.cancel()
	}
}

func (s *Server) connections() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		out = append(out, p)
	}
	return out
}

// Counts returns how many connections, listings and calls there were.
func (s *Server) Counts() (dials, lists, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials, s.lists, s.calls
}

// Cancelled returns the ids of notifications/cancelled, as received.
func (s *Server) Cancelled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.cancelled...)
}

// Serve speaks MCP over in and out until in ends, ctx ends or the script says
// so. It closes neither, and waits for the calls under way. Close in afterwards:
// a read of it may still wait.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &peer{out: out, cancel: cancel}
	s.mu.Lock()
	if s.peers == nil {
		s.peers = map[*peer]struct{}{}
	}
	s.peers[p] = struct{}{}
	s.dials++
	s.mu.Unlock()
	var wg sync.WaitGroup
	defer func() {
		s.mu.Lock()
		delete(s.peers, p)
		s.mu.Unlock()
		cancel()
		wg.Wait()
	}()
	lines := make(chan []byte)
	go read(ctx, in, lines)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, ok := <-lines:
			if !ok {
				return io.EOF
			}
			var m message
			if json.Unmarshal(line, &m) != nil {
				continue
			}
			if s.Script.Deaf && m.Method == "notifications/initialized" {
				<-ctx.Done()
				return ctx.Err()
			}
			wg.Go(func() {
				if s.handle(ctx, p, m) != nil {
					cancel()
				}
			})
		}
	}
}

// read splits in into lines until in or ctx ends.
func read(ctx context.Context, in io.Reader, lines chan<- []byte) {
	defer close(lines)
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// handle answers one message. It returns errDie to end the connection.
func (s *Server) handle(ctx context.Context, p *peer, m message) error {
	if s.Script.Garbage {
		p.mu.Lock()
		_, _ = io.WriteString(p.out, "npm warn this is no JSON\n{\"jsonrpc\":\"2.0\",\"id\":\"ghost\",\"result\":{}}\n[1,2\n\n")
		p.mu.Unlock()
	}
	var res json.RawMessage
	var err error
	switch m.Method {
	case "initialize":
		s.begun()
		res, err = s.initialize(ctx, m.Params)
	case "ping":
		res = json.RawMessage(`{}`)
	case "tools/list":
		res, err = s.list(m.Params)
	case "tools/call":
		res, err = s.call(ctx, p, m.Params)
	case "notifications/cancelled":
		var params struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		_ = json.Unmarshal(m.Params, &params)
		s.mu.Lock()
		s.cancelled = append(s.cancelled, string(params.RequestID))
		s.mu.Unlock()
	default:
		res, err = s.other(ctx, m.Method, m.Params)
	}
	switch {
	case errors.Is(err, errDie) || ctx.Err() != nil:
		return errDie
	case len(m.ID) == 0 || m.Method == "":
	case err != nil:
		if s.Script.Fault != "" {
			err = errors.New(s.Script.Fault)
		}
		p.send(message{ID: m.ID, Error: &rpcError{Code: -32000, Message: err.Error(), Data: map[string]string{"why": "script"}}})
	default:
		p.send(message{ID: m.ID, Result: res})
	}
	return nil
}

func (s *Server) initialize(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
	if s.Script.FailInit {
		return nil, errors.New("told to fail")
	}
	wait := s.Script.SlowInit
	if s.Script.HangInit {
		wait = time.Hour
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, errDie
		}
	}
	var asked struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	_ = json.Unmarshal(params, &asked)
	if s.Script.Protocol != "" {
		asked.ProtocolVersion = s.Script.Protocol
	}
	caps := `{"tools":{"listChanged":true},"logging":{}` + s.capabilities() + `}`
	if s.Script.NoTools {
		caps = `{}`
	}
	name, err := json.Marshal(s.Script.Name)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"protocolVersion":%q,"capabilities":%s,"serverInfo":{"name":%s,"version":"1"}%s}`,
		asked.ProtocolVersion, caps, name, s.instructions()), nil
}

// history appends one line to Script.History.
func (s *Server) history(args json.RawMessage) error {
	if s.Script.History == "" {
		return nil
	}
	f, err := os.OpenFile(s.Script.History, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Quote(string(args)) + "\n")
	return errors.Join(err, f.Close())
}
