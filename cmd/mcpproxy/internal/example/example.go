// Package example serves small but real MCP servers over stdio: what the
// demonstration connects to, and what a newcomer can try before bringing a
// server of his own. They need no network and, but for a notes file that is
// asked for, write nothing.
package example

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// ErrUnknown is wrapped by the error of [Run] for a name not in [Names].
var ErrUnknown = errors.New("no such example server")

// Names returns the names of the example servers, in the order to show them.
func Names() []string { return []string{"time", "notes", "files", "units"} }

// Run serves the named example until in ends or ctx does, and then returns nil.
// args are its own: files takes the folder to show, the others take none.
func Run(ctx context.Context, name string, args []string, in io.Reader, out io.Writer) error {
	if name != "files" && len(args) > 0 {
		return fmt.Errorf("example %s takes no arguments", name)
	}
	s, release, err := build(name, args)
	if err != nil {
		return err
	}
	stdio := server.NewStdioServer(s)
	stdio.SetErrorLogger(log.New(io.Discard, "", 0)) // its lines may quote arguments
	err = stdio.Listen(ctx, in, out)
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, release())
}

func build(name string, args []string) (s *server.MCPServer, release func() error, err error) {
	release = func() error { return nil }
	switch name {
	case "time":
		return newTime(), release, nil
	case "notes":
		s, err = newNotes()
		return s, release, err
	case "files":
		return newFiles(args)
	case "units":
		return newUnits(), release, nil
	}
	return nil, nil, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, strings.Join(Names(), ", "))
}

func newServer(name, instructions string) *server.MCPServer {
	return server.NewMCPServer("mcpproxy-example-"+name, "1.0.0",
		server.WithToolCapabilities(false), server.WithInputSchemaValidation(), server.WithRecovery(),
		server.WithInstructions(instructions))
}

// effect is what a tool does to the world, for its annotations.
type effect struct{ readOnly, destructive, idempotent bool }

var (
	reads    = effect{readOnly: true, idempotent: true}
	adds     = effect{}
	changes  = effect{destructive: true, idempotent: true}
	measures = effect{readOnly: true} // the answer differs from call to call
)

// tool describes one tool. None of them reaches beyond this machine.
func tool(name, title, description string, e effect, options ...mcp.ToolOption) mcp.Tool {
	all := []mcp.ToolOption{
		mcp.WithDescription(description), mcp.WithTitleAnnotation(title), mcp.WithSchemaAdditionalProperties(false),
		mcp.WithReadOnlyHintAnnotation(e.readOnly), mcp.WithDestructiveHintAnnotation(e.destructive),
		mcp.WithIdempotentHintAnnotation(e.idempotent), mcp.WithOpenWorldHintAnnotation(false),
	}
	return mcp.NewTool(name, append(all, options...)...)
}

// fault is an error that the agent can act on.
type fault struct {
	Code    string `json:"code"` // invalid_argument, not_found, refused or internal
	Message string `json:"message"`
}

func (f *fault) Error() string { return f.Message }

func invalid(format string, args ...any) error {
	return &fault{"invalid_argument", fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &fault{"not_found", fmt.Sprintf(format, args...)}
}

// answer adapts f: its result goes out as structured content and as JSON text,
// its error as a tool error with a code.
func answer[A, R any](f func(context.Context, A) (R, error)) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var args A
		err := request.BindArguments(&args)
		if err != nil {
			err = invalid("arguments do not fit the tool's schema")
		}
		var result R
		if err == nil {
			result, err = f(ctx, args)
		}
		if err == nil {
			text, err := json.Marshal(result)
			if err != nil {
				return nil, err
			}
			return mcp.NewToolResultStructured(result, string(text)), nil
		}
		var known *fault
		if !errors.As(err, &known) {
			known = &fault{"internal", err.Error()}
		}
		failed := mcp.NewToolResultStructured(map[string]any{"error": known}, known.Message)
		failed.IsError = true
		return failed, nil
	}
}
