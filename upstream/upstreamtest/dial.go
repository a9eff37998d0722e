package upstreamtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"

	"mcpproxy/upstream"
)

// Dialer returns a dialer that connects to s in-process, through pipes.
func (s *Server) Dialer() upstream.Dialer {
	return func(ctx context.Context, _ upstream.Spec, _ upstream.DialEnv) (*upstream.Conn, error) {
		toServer, stdin := io.Pipe()
		stdout, fromServer := io.Pipe()
		t := transport.NewIO(stdout, stdin, io.NopCloser(nil))
		ctx = context.WithoutCancel(ctx)
		if err := t.Start(ctx); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		c := &pipe{Stdio: t, cancel: cancel, done: make(chan struct{})}
		go func() {
			defer close(c.done)
			stop := context.AfterFunc(ctx, func() { _ = toServer.Close(); _ = fromServer.Close() })
			c.setErr(s.Serve(ctx, toServer, fromServer))
			stop()
			_ = toServer.Close()
			_ = fromServer.Close()
		}()
		return &upstream.Conn{Interface: c, Done: c.done, Err: c.Err}, nil
	}
}

// pipe is a connection to a Server in this process.
type pipe struct {
	*transport.Stdio
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	err    error
}

func (c *pipe) setErr(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(errors.New("the server exited"), err)
}

// Err returns why the server ended.
func (c *pipe) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the server and waits for it.
func (c *pipe) Close() error {
	c.cancel()
	err := c.Stdio.Close()
	<-c.done
	return err
}

// Table offers servers as dialers by server name, for every transport. A name
// without a server gets an error that wraps ErrConfig.
func Table(servers map[string]*Server) map[string]upstream.Dialer {
	dial := func(ctx context.Context, s upstream.Spec, env upstream.DialEnv) (*upstream.Conn, error) {
		srv, ok := servers[s.Name]
		if !ok {
			return nil, errors.Join(upstream.ErrConfig, errors.New("no such test server"))
		}
		return srv.Dialer()(ctx, s, env)
	}
	return map[string]upstream.Dialer{upstream.Stdio: dial, upstream.HTTP: dial, upstream.SSE: dial}
}

// scriptEnv hands a script to the child.
const scriptEnv = "UPSTREAMTEST_SCRIPT"

// Main serves stdio and exits if the process was started by [Command]; else it
// returns at once. Call it first in TestMain.
func Main() {
	text, ok := os.LookupEnv(scriptEnv)
	if !ok {
		return
	}
	var s Server
	if err := json.Unmarshal([]byte(text), &s.Script); err != nil {
		os.Exit(2)
	}
	_, _ = io.WriteString(os.Stderr, s.Script.Stderr)
	if err := s.Serve(context.Background(), os.Stdin, os.Stdout); errors.Is(err, io.EOF) && s.Script.IgnoreEOF {
		for { // select{} would be a deadlock to the runtime without cgo
			time.Sleep(time.Hour)
		}
	}
	os.Exit(0)
}

// Command completes spec so that it runs script in a child of this test binary.
func Command(spec upstream.Spec, script Script) (upstream.Spec, error) {
	self, err := os.Executable()
	if err != nil {
		return spec, err
	}
	text, err := json.Marshal(script)
	if err != nil {
		return spec, err
	}
	spec.Transport, spec.Command, spec.Args = upstream.Stdio, self, nil
	spec.Env = map[string]string{scriptEnv: string(text)}
	return spec, nil
}
