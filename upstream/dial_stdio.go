package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"go.uber.org/zap"

	"mcpproxy/internal/hint"
)

// stdoutBuffer is the size of one read of a child's stdout.
const stdoutBuffer = 64 << 10

// dialStdio starts the process of s.
func dialStdio(ctx context.Context, s Spec, env DialEnv) (*Conn, error) {
	return dialProcess(ctx, s, env, defaultLadder)
}

func dialProcess(ctx context.Context, s Spec, env DialEnv, ladder stopLadder) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	env.warnOfArgs(s)
	s, err := expandSpec(s, env.Expand)
	if err != nil {
		return nil, err
	}
	run, err := stdioCommand(ctx, s, env.Isolator)
	if err != nil {
		return nil, err
	}
	cmd := run.Cmd
	var mark string
	if env.Children != nil {
		mark = env.Children.mark()
		cmd.Env = append(cmd.Env, markEnv+"="+mark)
	}
	var sink io.WriteCloser
	if env.Stderr != nil {
		sink = env.Stderr(s.Name)
	}
	p, err := startProcess(ctx, run, ladder, sink, env.reader)
	if err != nil {
		if sink != nil {
			_ = sink.Close()
		}
		return nil, err
	}
	if env.Children != nil {
		p.record(env, s.Name, mark)
	}
	c := &stdioConn{
		Stdio:  transport.NewIO(bufio.NewReaderSize(p.stdout, stdoutBuffer), p.stdin, nil),
		p:      p,
		server: s.Name,
	}
	go p.supervise()
	if err := c.Start(p.life); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &Conn{Interface: c, Done: p.life.Done(), Err: c.cause, PID: cmd.Process.Pid, Stderr: p.stderr.last}, nil
}

// stdioCommand prepares the expanded s, behind walls if its Isolation asks for
// them: never without.
func stdioCommand(ctx context.Context, s Spec, isolator Isolator) (*Isolated, error) {
	if s.Isolation != nil {
		if isolator == nil {
			return nil, fmt.Errorf("%w: isolation is asked for, and nothing here can isolate", ErrConfig)
		}
		return isolator.Command(ctx, s)
	}
	if err := checkWorkingDir(s.WorkingDir); err != nil {
		return nil, err
	}
	file, err := findCommand(s, exec.LookPath)
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: file,
		Args: append([]string{s.Command}, s.Args...),
		Env:  childEnv(os.Environ(), s.Env),
		Dir:  s.WorkingDir,
	}
	return &Isolated{Cmd: cmd}, nil
}

// record writes p to the durable record. Serving goes on without it: a child
// that heeds the end of its stdin needs none.
func (p *process) record(env DialEnv, server, mark string) {
	forget, err := env.Children.add(server, p.cmd.Args[0], mark, p.cmd.Process.Pid)
	if err == nil {
		p.forget = forget
	} else if env.Log != nil {
		env.Log.Warn("child not recorded; it may outlive a killed proxy", zap.String("server", server), zap.Error(err))
	}
}

// stdioConn is a connection to a child process.
type stdioConn struct {
	*transport.Stdio
	p      *process
	server string
}

// SendRequest implements [transport.Interface]. After the end of the connection
// its error is that of Conn.Err.
func (c *stdioConn) SendRequest(ctx context.Context, r transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	resp, err := c.Stdio.SendRequest(ctx, r)
	return resp, c.explain(err)
}

// SendNotification implements [transport.Interface].
func (c *stdioConn) SendNotification(ctx context.Context, n mcp.JSONRPCNotification) error {
	return c.explain(c.Stdio.SendNotification(ctx, n))
}

// Close ends the process group and returns when it is gone, at the latest after
// the whole ladder.
func (c *stdioConn) Close() error {
	c.p.end(errConnClosed)
	err := c.Stdio.Close()
	<-c.p.gone
	return err
}

// explain puts the cause in place of mcp-go's "transport closed".
func (c *stdioConn) explain(err error) error {
	if !errors.Is(err, transport.ErrTransportClosed) && !errors.Is(err, errInputClosed) {
		return err
	}
	waitFor(c.p.life.Done(), 2*c.p.ladder.drain) // supervise is about to know
	if cause := c.cause(); cause != nil {
		return cause
	}
	return err
}

// cause is Conn.Err.
func (c *stdioConn) cause() error {
	if c.p.life.Err() == nil {
		return nil
	}
	err := context.Cause(c.p.life)
	if errors.Is(err, errConnClosed) {
		return err
	}
	return fmt.Errorf("%w; what it wrote to stderr: %s", err, hint.Command("upstream", "logs", c.server))
}
