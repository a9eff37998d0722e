// Command mcpproxy stands between agents and their MCP servers: one endpoint,
// tools found by search, servers held until a person approved them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/store"
)

// version is set by the linker.
var version = "dev"

// The exit codes, which every command's help lists.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitLocked      = 3 // another instance has the data directory
	exitConfig      = 4
	exitHeld        = 5 // approval or permission needed
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	g := &global{}
	err := newRootCommand(g).ExecuteContext(ctx)
	code := exitCode(ctx, err)
	g.report(os.Stderr, code, err)
	os.Exit(code)
}

// exitCode maps errors to exit codes, here and nowhere else.
func exitCode(ctx context.Context, err error) int {
	var wrongUse *usageError
	var faults config.Faults
	code := ""
	if answer, ok := errors.AsType[*client.Error](err); ok {
		code = answer.Code
	}
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &wrongUse):
		return exitUsage
	case errors.Is(err, store.ErrLocked):
		return exitLocked
	case errors.As(err, &faults), errors.Is(err, errNoConfig), code == client.CodeConfig:
		return exitConfig
	case code == client.CodeHeld, code == client.CodeForbidden, errors.Is(err, store.ErrReadOnly):
		return exitHeld
	default:
		return exitFailure
	}
}

// report prints the error and its hint. A text may be an upstream's in part.
func (g *global) report(w io.Writer, code int, err error) {
	switch code {
	case exitOK:
	case exitInterrupted:
		fmt.Fprintln(w, "interrupted")
	default:
		text := err.Error()
		if !strings.HasSuffix(text, "--help") { // which is the same everywhere
			text = g.here(text)
		}
		fmt.Fprintln(w, "error: "+escape.Text(text))
	}
}
