package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

func newUpstreamCommand(g *global) *cobra.Command {
	return group("upstream", "The configured servers",
		`Look at and change the configured servers. Changes go to the configuration file,
which keeps its comments, order and layout.`,
		newUpstreamListCommand(g), newUpstreamAddCommand(g), newUpstreamRemoveCommand(g),
		newUpstreamSwitchCommand(g, "enable", true), newUpstreamSwitchCommand(g, "disable", false),
		newUpstreamRestartCommand(g), newUpstreamLogsCommand(g))
}

func newUpstreamListCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show every server with its state and tools",
		Long: `Show every configured server, its state, how many of its tools are approved and how
many wait, and what helps where something is wrong.`,
		Example: "  mcpproxy upstream list\n  mcpproxy upstream list -o json",
		Args:    wants(),
	}
	return answering(g, cmd, func(ctx context.Context, c *client.Client, _ []string) ([]client.Server, error) {
		st, err := c.Status(ctx)
		if err != nil {
			return nil, err
		}
		if st.ConfigError != "" {
			fmt.Fprint(cmd.ErrOrStderr(), indent("", "The file on disk is not in force: "+st.ConfigError))
		}
		g.alarmOf(cmd, st, "")
		return st.Servers, nil
	}, g.printServers)
}

func (g *global) printServers(w io.Writer, servers []client.Server) {
	if len(servers) == 0 {
		fmt.Fprintln(w, "No server is configured. Add one:", g.here("mcpproxy upstream add NAME -- COMMAND [ARGS]"))
		return
	}
	cells := make([][]string, 0, len(servers))
	for _, s := range servers {
		note := cmp.Or(s.Fault, s.Error)
		switch {
		case note != "" && s.Hint != "":
			note, _, _ = strings.Cut(note, "\nhint: ") // the server's own is shorter
			note = sentence(note, 100) + " (" + s.Hint + ")"
		case s.Hint != "":
			note = s.Hint
		case s.HeldTools > 0:
			note = hint.Command("quarantine", "inspect", s.Name)
		}
		where := s.Transport
		if s.Isolation != "" {
			where += ", " + s.Isolation
		}
		cells = append(cells, []string{s.Name, where, s.State, strconv.Itoa(s.Tools), strconv.Itoa(s.HeldTools), g.here(note)})
	}
	rows(w, []string{"SERVER", "TRANSPORT", "STATE", "TOOLS", "HELD", "NOTE"}, cells)
}

// onServer makes a command that does one thing to the server NAME and prints
// what done returns for it.
func onServer(g *global, cmd *cobra.Command, do func(ctx context.Context, c *client.Client, name string) (any, string, error)) *cobra.Command {
	var said string
	cmd.Use += " NAME"
	cmd.Args = wants("NAME")
	cmd.ValidArgsFunction = completeServers(g)
	return answering(g, cmd, func(ctx context.Context, c *client.Client, args []string) (v any, err error) {
		v, said, err = do(ctx, c, args[0])
		return v, err
	}, func(w io.Writer, _ any) { fmt.Fprint(w, indent("", said)) })
}

func newUpstreamRemoveCommand(g *global) *cobra.Command {
	return onServer(g, &cobra.Command{
		Use:     "remove",
		Short:   "Take a server out of the configuration",
		Long:    "Take a server out of the configuration, and forget what was approved of it.\nOf an isolated server the volume with its home and caches is removed too.",
		Example: "  mcpproxy upstream remove github",
	}, func(ctx context.Context, c *client.Client, name string) (any, string, error) {
		return map[string]string{"removed": name}, "Removed " + name, c.RemoveServer(ctx, name)
	})
}

func newUpstreamSwitchCommand(g *global, verb string, on bool) *cobra.Command {
	return onServer(g, &cobra.Command{
		Use:     verb,
		Short:   map[bool]string{true: "Switch a server on", false: "Switch a server off"}[on],
		Long:    map[bool]string{true: "Switch a server on. One that nobody approved stays held.", false: "Switch a server off. Its approvals are kept."}[on],
		Example: "  mcpproxy upstream " + verb + " github",
	}, func(ctx context.Context, c *client.Client, name string) (any, string, error) {
		s, err := c.UpdateServer(ctx, name, client.ServerChange{Enabled: &on})
		said := name + " is " + verb + "d"
		if on {
			said += ": " + s.State
		}
		return s, said, err
	})
}

func newUpstreamRestartCommand(g *global) *cobra.Command {
	return onServer(g, &cobra.Command{
		Use:     "restart",
		Short:   "Start a server anew",
		Long:    "Stop a server and start it anew at once, also out of a failure. It needs a running\ninstance.",
		Example: "  mcpproxy upstream restart github",
	}, func(ctx context.Context, c *client.Client, name string) (any, string, error) {
		return map[string]string{"restarted": name}, "Restarted " + name, c.RestartServer(ctx, name)
	})
}

func newUpstreamLogsCommand(g *global) *cobra.Command {
	var lines int
	var follow bool
	var o output
	cmd := &cobra.Command{
		Use:     "logs NAME",
		Short:   "Print what a server wrote to its log",
		Long:    "Print the last lines of a server's own log: what it wrote to stderr, oldest first.",
		Example: "  mcpproxy upstream logs github\n  mcpproxy upstream logs github --lines 500\n  mcpproxy upstream logs github --follow",
		Args:    wants("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lines < 1 {
				return usage(cmd, "--lines must be above zero")
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				if follow {
					err := c.FollowLogs(ctx, args[0], lines, func(line string) {
						fmt.Fprintln(cmd.OutOrStdout(), escape.Line(line))
					})
					if ctx.Err() != nil {
						return nil // Ctrl-C is how it ends
					}
					return err
				}
				log, err := c.Logs(ctx, args[0], lines)
				if err != nil {
					return err
				}
				if len(log) == 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s has written nothing yet; %s says how it is\n", escape.Line(args[0]), g.here("mcpproxy status"))
				}
				return o.print(cmd, log, func(w io.Writer) {
					for _, line := range log {
						fmt.Fprintln(w, escape.Line(line))
					}
				})
			})
		},
		ValidArgsFunction: completeServers(g),
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", 50, "how many lines")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what it writes, until Ctrl-C")
	o.flag(cmd)
	return cmd
}

// completeServers offers the configured names to the shell.
func completeServers(g *global) cobra.CompletionFunc {
	return completing(g, func(ctx context.Context, c *client.Client) (names []string, err error) {
		servers, err := c.Servers(ctx)
		for _, s := range servers {
			names = append(names, s.Name)
		}
		return names, err
	})
}
