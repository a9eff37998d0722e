package upstream

import (
	"context"
	"errors"
	"io"

	"github.com/mark3labs/mcp-go/client/transport"
	"go.uber.org/zap"
)

// Errors of a [Dialer] and of its [Conn] that the pool treats differently from
// a lost connection.
var (
	// ErrConfig is wrapped when no retry can help before the configuration
	// changes, such as a command that does not exist.
	ErrConfig = errors.New("configuration")
	// ErrNotNow is wrapped by [DialEnv.Expand] when a value cannot be had at the
	// moment, such as from a keyring that is locked, and by SendRequest when the
	// login has no token at the moment. Nothing was sent.
	ErrNotNow = errors.New("not available now")
	// ErrLogin is wrapped when the server answered 401; see [LoginError].
	ErrLogin = errors.New("login needed")
	// ErrRights is wrapped when the server answered 403 because the rights (scopes)
	// of the login do not suffice; see [LoginError]. The request was not executed.
	ErrRights = errors.New("the login lacks rights")
	// ErrNotStreamable is wrapped by SendRequest when the first POST of a Spec
	// with SSEFallback was answered 404 or 405: dial it over SSE.
	ErrNotStreamable = errors.New("server does not speak streamable HTTP")
	// ErrSessionLost is wrapped by SendRequest when the server no longer knows
	// the session. The request was not executed; dial and initialize again.
	ErrSessionLost = errors.New("session lost")
	// ErrTooLarge is wrapped when a message exceeds 16 MB.
	ErrTooLarge = errors.New("message over 16 MB")
)

// errConnClosed is why Done is closed after Close.
var errConnClosed = errors.New("connection closed")

// maxMessage is the most one JSON-RPC message of an upstream may take, in bytes.
const maxMessage = 16 << 20

// Conn is one started transport. Requests go through it raw: mcp-go's typed
// client would lose schema and result text.
type Conn struct {
	transport.Interface                 // started; Close ends the connection or the whole process group
	Done                <-chan struct{} // closed once the connection is lost or closed
	Err                 func() error    // why Done is closed, in plain words without upstream text; nil before
	PID                 int             // of a stdio child, else 0
	// Stderr returns the last few KB that a stdio child wrote to its stderr:
	// untrusted text for people, never for agents. Nil for remote servers.
	Stderr func() string
}

// Dialer opens the transport of one Spec. It returns when the transport is
// started (not initialized) or ctx ends. The connection outlives ctx.
type Dialer func(ctx context.Context, s Spec, env DialEnv) (*Conn, error)

// DefaultDialers returns the dialer of each transport that a Spec can name.
// The map is the caller's.
func DefaultDialers() map[string]Dialer {
	return map[string]Dialer{
		Stdio: dialStdio,
		HTTP:  dialHTTP,
		SSE:   dialSSE,
	}
}

// DialEnv is what dialers need of their surroundings. Every field but Log may
// be zero.
type DialEnv struct {
	Log *zap.Logger
	// Expand resolves placeholders in env, args, headers and working_dir; nil
	// leaves them. Its error wraps ErrNotNow where another try may help.
	Expand func(text string) (string, error)
	// Login has the tokens of remote servers; nil has none.
	Login Login
	// Redact knows what Expand resolved; nil knows nothing.
	Redact Redactor
	// Stderr returns the sink of a server's stderr; nil discards it. The
	// connection writes whole lines to it and closes it.
	Stderr func(server string) io.WriteCloser
	// Children records stdio children so that the next start can end the strays
	// of a killed proxy; nil records nothing.
	Children *Children
	// Isolator runs the servers whose Spec has an Isolation; without it they fail.
	Isolator Isolator
}
