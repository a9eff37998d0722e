package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

func newToolsCommand(g *global) *cobra.Command {
	return group("tools", "What a server lists", "Look at the tools of one server.", newToolsListCommand(g))
}

type toolsListFlags struct {
	server, logLevel string
	timeout          time.Duration
	output
}

func newToolsListCommand(g *global) *cobra.Command {
	var f toolsListFlags
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "List the tools of one server as it is now",
		Long: `List the tools of one server as it is now. A server that does not run is started
once, listed and stopped; what it lists is stored for review and approves nothing.

With --log-level trace every JSON-RPC frame is printed to stderr as it passes.`,
		Example: `  mcpproxy tools list github
  mcpproxy tools list github -l trace
  mcpproxy tools list -s slow -t 60s -o json`,
		Args:              atMostOne,
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := nameOnce(cmd, &f.server, args); err != nil {
				return err
			}
			return runToolsList(cmd, g, f)
		},
	}
	cmd.Flags().StringVarP(&f.server, "server", "s", "", "the same as NAME")
	cmd.Flags().StringVarP(&f.logLevel, "log-level", "l", "info", "`level`: trace, debug, info, warn or error")
	cmd.Flags().DurationVarP(&f.timeout, "timeout", "t", 30*time.Second, "for connecting and listing")
	f.flag(cmd)
	return cmd
}

func runToolsList(cmd *cobra.Command, g *global, f toolsListFlags) error {
	if f.server == "" {
		return usage(cmd, "NAME is missing")
	}
	if f.timeout < 0 || cmd.Flags().Changed("timeout") && f.timeout == 0 {
		return usage(cmd, "--timeout must be above zero")
	}
	if err := checkLevel(cmd, f.logLevel); err != nil {
		return err
	}
	opt, err := g.options(cmd)
	if err != nil {
		return err
	}
	opt.LogLevel = f.logLevel
	list := client.ListOptions{}
	if cmd.Flags().Changed("timeout") { // else the server's own
		list.Timeout = f.timeout
	}
	if f.logLevel == "trace" {
		list.Frame = printFrame(cmd.ErrOrStderr())
	}
	return withClient(cmd, opt, func(ctx context.Context, c *client.Client) error {
		tools, err := c.ListTools(ctx, f.server, list)
		if err != nil {
			return err
		}
		return f.print(cmd, tools, func(w io.Writer) { printTools(w, tools) })
	})
}

// printFrame returns what prints one frame of a trace on a line.
func printFrame(w io.Writer) func(dir string, frame []byte) {
	return func(dir string, frame []byte) {
		fmt.Fprintf(w, "%s %s %s\n", time.Now().Format("15:04:05.000"), dir, escape.JSON(frame))
	}
}

func printTools(w io.Writer, tools []client.Tool) {
	cells := make([][]string, 0, len(tools))
	for _, t := range tools {
		cells = append(cells, []string{t.ID, t.Access, t.State, sentence(t.Description, 80)})
	}
	rows(w, []string{"TOOL", "ACCESS", "STATE", "DESCRIPTION"}, cells)
}
