package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/desktop"
)

func newUICommand(g *global) *cobra.Command {
	var open bool
	var o output
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "Print a link to the web page",
		Long: `Print a link to the web page of the running instance. It logs one browser in: it
works once, and for five minutes. Keep it to yourself until then. With --open it
is on the command line of your browser, where other users of this machine could
see it; if one of them is faster, your browser says that the link was used.`,
		Example: "  mcpproxy ui\n  mcpproxy ui --open",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				l, err := c.Link(ctx)
				if err != nil {
					return err
				}
				if !open {
					return o.print(cmd, l, func(w io.Writer) { fmt.Fprintln(w, l.URL) })
				}
				if err := desktop.Open(l.URL); err != nil {
					return fmt.Errorf("the browser was not opened: %w\nhint: open it yourself: %s", err, l.URL)
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "opened in your browser")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&open, "open", false, "open it in the browser instead")
	o.flag(cmd)
	return cmd
}
