package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

func newQuarantineCommand(g *global) *cobra.Command {
	return group("quarantine", "What waits for your approval",
		`A server that nobody approved does not run, and a tool whose definition changed is
held until a person has looked. Approve what you have read, and nothing else.`,
		newQuarantineListCommand(g), newQuarantineInspectCommand(g), newQuarantineApproveCommand(g))
}

func newQuarantineListCommand(g *global) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show what waits",
		Long:    "Show every server that waits for approval itself or has tools that wait, and why.",
		Example: "  mcpproxy quarantine list\n  mcpproxy quarantine list -o json",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				waiting, err := c.Waiting(ctx)
				if err != nil {
					return err
				}
				return o.print(cmd, emptyNotNull(waiting), func(w io.Writer) { printWaiting(w, waiting) })
			})
		},
	}
	o.flag(cmd)
	return cmd
}

func printWaiting(w io.Writer, waiting []client.Waiting) {
	if len(waiting) == 0 {
		fmt.Fprintln(w, "Nothing waits for approval.")
		return
	}
	cells := make([][]string, 0, len(waiting))
	for _, p := range waiting {
		tools := "not listed yet"
		if p.Inspected || len(p.Tools) > 0 {
			tools = strconv.Itoa(len(p.Tools))
		}
		cells = append(cells, []string{p.Server, p.State, tools, sentence(p.Reason, 100)})
	}
	rows(w, []string{"SERVER", "STATE", "TOOLS", "REASON"}, cells)
	fmt.Fprintln(w, "\nNext: mcpproxy quarantine inspect SERVER")
}

func newQuarantineInspectCommand(g *global) *cobra.Command {
	var timeout time.Duration
	var o output
	cmd := &cobra.Command{
		Use:   "inspect NAME",
		Short: "Start a server once, list its tools, stop it",
		Long: `Show what an approval of a server would let in: what would run, and every tool in
full. A server that does not run is started once for this, listed and stopped.
What it lists is stored; nothing is approved.`,
		Example:           "  mcpproxy quarantine inspect github\n  mcpproxy quarantine inspect github -o json",
		Args:              wants("NAME"),
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usage(cmd, "--timeout must be above zero")
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				page, err := c.Inspect(ctx, args[0], client.ListOptions{Timeout: timeout})
				if err != nil {
					return err
				}
				return o.print(cmd, page, func(w io.Writer) {
					printPage(w, page)
					if needsApproval(page) {
						fmt.Fprintf(w, "\nNext: mcpproxy quarantine approve %s\n", escape.Line(page.Server))
					}
				})
			})
		},
	}
	cmd.Flags().DurationVarP(&timeout, "timeout", "t", 30*time.Second, "for connecting and listing")
	o.flag(cmd)
	return cmd
}

type approveFlags struct {
	hash string
	yes  bool
	output
}

func newQuarantineApproveCommand(g *global) *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve NAME",
		Short: "Let a server in, exactly as shown",
		Long: `Approve what a server runs and exactly the tools of its stored listing, inspecting
it first where there is none. What would be approved is printed, and you are asked
on the terminal.

Without a terminal nothing is approved unless you name what you read: --hash with
the whole hash that inspect printed, or --yes for whatever is stored now.`,
		Example: `  mcpproxy quarantine approve github
  mcpproxy quarantine approve github --hash 5d41402abc4b...`,
		Args:              wants("NAME"),
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				return runApprove(ctx, cmd, c, args[0], f)
			})
		},
	}
	cmd.Flags().StringVar(&f.hash, "hash", "", "whole hash of the page that you read")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "approve what is stored now, without a question")
	f.flag(cmd)
	return cmd
}

func runApprove(ctx context.Context, cmd *cobra.Command, c *client.Client, name string, f approveFlags) error {
	if f.hash == "" {
		page, err := pageOf(ctx, c, name)
		if err != nil {
			return err
		}
		if !needsApproval(page) {
			return f.print(cmd, page, func(w io.Writer) {
				fmt.Fprintf(w, "Nothing of %s waits for approval.\n", escape.Line(name))
			})
		}
		printPage(cmd.ErrOrStderr(), page)
		if err := ask(cmd, page, f.yes); err != nil {
			return err
		}
		f.hash = page.Hash
	}
	page, err := c.Approve(ctx, name, f.hash)
	if err != nil {
		return err
	}
	return f.print(cmd, page, func(w io.Writer) {
		fmt.Fprintf(w, "Approved %s with %s\n", escape.Line(page.Server), plural(len(page.Tools), "tool"))
	})
}

// pageOf returns what waits of a server, listing it first where nothing is
// stored.
func pageOf(ctx context.Context, c *client.Client, name string) (client.Waiting, error) {
	waiting, err := c.Waiting(ctx)
	if err != nil {
		return client.Waiting{}, err
	}
	for _, p := range waiting {
		if p.Server == name && (p.Inspected || p.State == "approved") {
			return p, nil
		}
	}
	return c.Inspect(ctx, name, client.ListOptions{})
}

func needsApproval(p client.Waiting) bool { return p.State != "approved" || len(p.Tools) > 0 }

// ask returns nil if a person said yes.
func ask(cmd *cobra.Command, page client.Waiting, yes bool) error {
	if yes {
		return nil
	}
	yes, asked, err := confirm(cmd, fmt.Sprintf("\nApprove %s with %s as shown?", escape.Line(page.Server), plural(len(page.Tools), "tool")))
	switch {
	case err != nil:
		return err
	case !asked:
		return &client.Error{Code: "held", Message: "nothing is approved: there is no terminal to ask on",
			Hint: "read the page, then: mcpproxy quarantine approve " + page.Server + " --hash " + page.Hash}
	case !yes:
		return errors.New("not approved")
	}
	return nil
}
