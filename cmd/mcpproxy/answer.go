package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

// answering makes cmd a command that asks an instance, with the arguments of the
// command line, and prints the answer as its -o flag says: table writes the form
// for people.
func answering[T any](g *global, cmd *cobra.Command, ask func(ctx context.Context, c *client.Client, args []string) (T, error), table func(w io.Writer, answer T)) *cobra.Command {
	var o output
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
			answer, err := ask(ctx, c, args)
			if err != nil {
				return err
			}
			return o.print(cmd, answer, func(w io.Writer) { table(w, answer) })
		})
	}
	o.flag(cmd)
	return cmd
}

// completing offers the first argument to the shell.
func completing(g *global, offer func(ctx context.Context, c *client.Client) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
		if len(args) == 0 {
			_ = g.connect(cmd, func(ctx context.Context, c *client.Client) (err error) {
				names, err = offer(ctx, c)
				return err
			})
		}
		for i, name := range names {
			names[i] = escape.Line(name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
