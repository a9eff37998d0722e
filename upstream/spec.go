package upstream

import (
	"encoding/json"
	"time"

	"mcpproxy/internal/tool"
)

// The transports of [Spec].
const (
	Stdio = "stdio"
	HTTP  = "http" // streamable HTTP
	SSE   = "sse"
)

// Spec is all that one upstream needs to run. Env, Args and Headers hold
// placeholders as configured; they are expanded at launch and nowhere else.
type Spec struct {
	Name      string
	Transport string // Stdio, HTTP or SSE
	// SSEFallback lets an HTTP server whose first POST answers 404 or 405 be
	// tried over SSE (MCP 2025-03-26, "Backwards Compatibility"). Set where the
	// user named no transport.
	SSEFallback bool

	Command    string
	Args       []string
	Env        map[string]string
	WorkingDir string // host path, tilde expanded; empty means the proxy's own

	URL     string
	Headers map[string]string

	Isolation *Isolation // of a stdio server; nil runs it on the host

	Disabled bool          // the user switched it off
	Held     string        // why it must not run yet, for people; empty means approved
	Timeout  time.Duration // of one call; 0 means 60 s, at most 10 min
}

// State is where a server stands.
type State string

// The states of a server.
const (
	Disabled   State = "disabled"    // switched off by the user
	Held       State = "held"        // waits for a person's approval; never started
	Starting   State = "starting"    // first connection under way
	Ready      State = "ready"       // initialized and listed
	NeedsLogin State = "needs-login" // answered 401
	BackingOff State = "backing-off" // lost or unreachable; the next try is scheduled
	Failed     State = "failed"      // cannot work before the configuration changes
)

// Status describes one server to people.
type Status struct {
	Name      string
	Transport string
	State     State
	Error     string    // the last error in plain words and the next step; empty if none
	Since     time.Time // when State was entered
	NextTry   time.Time // zero unless BackingOff
	Listed    bool      // listed at least once since the pool started it
	Tools     int       // in the last complete listing, before the gate
	Version   string    // the server's own name and version, escaped by whoever prints it
	Protocol  string    // negotiated revision
	PID       int       // of a stdio child, else 0
}

// Call is one tools/call.
type Call struct {
	ID        tool.ID
	Arguments json.RawMessage // a JSON object; nil means {}
	Meta      json.RawMessage // _meta to send, a JSON object; nil means none
	// Want, if not zero, is the definition that the caller checked. The call is
	// refused with ErrChanged if the server's last listing holds another one.
	Want tool.Hash
	// Progress, if set, is called with the params of each notifications/progress
	// of this call. It must not block.
	Progress func(params json.RawMessage)
}

// Result is what the upstream answered, byte for byte.
type Result struct {
	Raw     json.RawMessage // the whole result object of tools/call
	IsError bool            // the tool's own verdict
	Sent    bool            // the call was handed to the connection; set beside an error too
}
