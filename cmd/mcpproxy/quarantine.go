package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

func newQuarantineCommand(g *global) *cobra.Command {
	return group("quarantine", "What waits for your approval",
		`A server that nobody approved does not run, and a tool, prompt, resource or text of
instructions that changed is held until a person has looked. Approve what you have
read, and nothing else.`,
		newQuarantineListCommand(g), newQuarantineInspectCommand(g), newQuarantineDiffCommand(g), newQuarantineApproveCommand(g),
		newQuarantineBlockCommand(g, true), newQuarantineBlockCommand(g, false), newQuarantineHistoryCommand(g), newQuarantineScanCommand(g),
		newQuarantineRestoreCommand(g))
}

func newQuarantineListCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show what waits",
		Long:    "Show every server that waits for approval itself or has something that waits, and why.",
		Example: "  mcpproxy quarantine list\n  mcpproxy quarantine list -o json",
		Args:    wants(),
	}
	return answering(g, cmd, func(ctx context.Context, c *client.Client, _ []string) ([]client.Waiting, error) {
		waiting, err := c.Waiting(ctx)
		if err == nil {
			err = g.alarmAbout(ctx, cmd, c, "")
		}
		return waiting, err
	}, g.printWaiting)
}

func (g *global) printWaiting(w io.Writer, waiting []client.Waiting) {
	if len(waiting) == 0 {
		fmt.Fprintln(w, "Nothing waits for approval.")
		return
	}
	cells := make([][]string, 0, len(waiting))
	for _, p := range waiting {
		items := "not listed yet"
		if p.Inspected || len(p.Tools) > 0 {
			items = counted(p.Tools)
		}
		reason := p.Reason
		if reason == "" {
			reason = "the server runs; what is new or changed of it waits"
		}
		cells = append(cells, []string{p.Server, p.State, items, sentence(reason, 100)})
	}
	rows(w, []string{"SERVER", "STATE", "WAITS", "REASON"}, cells)
	fmt.Fprintln(w, "\nNext:", g.here("mcpproxy quarantine inspect SERVER"))
}

func newQuarantineInspectCommand(g *global) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "inspect NAME",
		Short: "Start a server once, list what it offers, stop it",
		Long: `Show what an approval of a server would let in: what would run, and every tool, prompt,
resource and its instructions in full. A server that does not run is started once
for this, listed and stopped. What it lists is stored; nothing is approved.`,
		Example:           "  mcpproxy quarantine inspect github\n  mcpproxy quarantine inspect github -o json",
		Args:              wants("NAME"),
		ValidArgsFunction: completeServers(g),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if timeout < 0 {
				return usage(cmd, "--timeout must be above zero")
			}
			return nil
		},
	}
	cmd.Flags().DurationVarP(&timeout, "timeout", "t", 0, "for connecting and listing (default 30s, longer where an image must be pulled first)")
	return answering(g, cmd, func(ctx context.Context, c *client.Client, args []string) (client.Waiting, error) {
		page, err := c.Inspect(ctx, args[0], client.ListOptions{Timeout: timeout})
		if err == nil {
			err = g.alarmAbout(ctx, cmd, c, args[0])
		}
		return page, err
	}, func(w io.Writer, page client.Waiting) {
		printPage(w, page)
		next := "Nothing of it waits. What it lists: " + hint.Command("tools", "list", page.Server)
		switch {
		case page.State == "blocked":
			next = "Next: " + hint.Command("quarantine", "unblock", page.Server)
		case needsApproval(page):
			next = "Next: " + hint.Command("quarantine", "approve", page.Server)
		}
		fmt.Fprintln(w, "\n"+escape.Line(g.here(next)))
	})
}
