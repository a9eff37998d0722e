package upstream

import (
	"context"
	"errors"
	"io"
	"os/exec"

	"github.com/mark3labs/mcp-go/client/transport"
	"go.uber.org/zap"
)

// Errors of a [Dialer] that the pool treats differently from a lost connection.
var (
	// ErrConfig is wrapped when no retry can help before the configuration
	// changes, such as a command that does not exist.
	ErrConfig = errors.New("configuration")
	// ErrLogin is wrapped when the server answered 401.
	ErrLogin = errors.New("login needed")
)

// Conn is one started transport. Requests go through it raw: mcp-go's typed
// client would lose schema and result text.
type Conn struct {
	transport.Interface                 // started; Close ends the connection or the whole process group
	Done                <-chan struct{} // closed once the connection is lost
	Err                 func() error    // why Done is closed, in plain words; nil before
	PID                 int             // of a stdio child, else 0
}

// Dialer opens the transport of one Spec. It returns when the transport is
// started (not initialized) or ctx ends. The connection outlives ctx.
type Dialer func(ctx context.Context, s Spec, env DialEnv) (*Conn, error)

// DialEnv is what dialers need of their surroundings. Every field but Log may
// be zero.
type DialEnv struct {
	Log *zap.Logger
	// Expand resolves placeholders in env, args and headers; nil leaves them.
	Expand func(text string) (string, error)
	// Stderr returns the sink of a server's stderr; nil discards it.
	Stderr func(server string) io.WriteCloser
	// Children records stdio children so that the next start can end the strays
	// of a killed proxy; nil records nothing.
	Children *Children
	// Isolator builds the command of an isolated server; nil runs on the host.
	Isolator Isolator
}

// Isolator runs stdio servers behind a wall such as a container.
type Isolator interface {
	// Command returns the command that runs s isolated, or nil if s is not to be
	// isolated. Stdin, Stdout and Stderr are the caller's to set.
	Command(ctx context.Context, s Spec) (*exec.Cmd, error)
	// Sweep ends what an earlier instance left behind.
	Sweep(ctx context.Context) error
}
