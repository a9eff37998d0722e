package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

// blocked is what block and unblock answer.
type blocked struct {
	Blocked bool   `json:"blocked"`
	Target  string `json:"target"`
}

func newQuarantineBlockCommand(g *global, block bool) *cobra.Command {
	verb, done, short := "block", "Blocked", "Keep a server or one item of it out, whatever it says"
	long := `A blocked server does not run and a blocked tool is neither found nor called, until
you unblock it; no approval lifts a block. What you approved stays on record.
` + itemHelp
	if !block {
		verb, done, short = "unblock", "Unblocked", "End a block; what was approved serves again"
		long = "End a block. What you approved before serves again, everything else waits as ever.\n" + itemHelp
	}
	return answering(g, &cobra.Command{
		Use:     verb + " SERVER | SERVER:ITEM",
		Short:   short,
		Long:    long,
		Example: "  mcpproxy quarantine " + verb + " github\n  mcpproxy quarantine " + verb + " github:delete_repo\n  mcpproxy quarantine " + verb + " github:prompt/review",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := wants("SERVER or SERVER:ITEM")(cmd, args); err != nil {
				return err
			}
			_, err := readTarget(cmd, args[0])
			return err
		},
		ValidArgsFunction: completeServers(g),
	}, func(ctx context.Context, c *client.Client, args []string) (blocked, error) {
		id := tool.ParseTarget(args[0])
		err := c.Block(ctx, id.Server, client.BlockRequest{Tool: id.Name, Kind: string(id.Kind), Blocked: block})
		return blocked{Target: args[0], Blocked: block}, err
	}, func(w io.Writer, answer blocked) { fmt.Fprintln(w, done, escape.Line(answer.Target)) })
}

func newQuarantineHistoryCommand(g *global) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history [SERVER]",
		Short: "What was approved, held, changed and blocked, and when",
		Long: `Show what happened at the gate, newest first: approvals, definitions that were held
or changed, hints that were applied without asking, definitions that came back.`,
		Example:           "  mcpproxy quarantine history\n  mcpproxy quarantine history github --limit 20 -o json",
		Args:              atMostOne,
		ValidArgsFunction: completeServers(g),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usage(cmd, "--limit must be above zero")
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "most events to show")
	return answering(g, cmd, func(ctx context.Context, c *client.Client, args []string) ([]client.ReviewEvent, error) {
		return c.History(ctx, strings.Join(args, ""), limit)
	}, printHistory)
}

func printHistory(w io.Writer, events []client.ReviewEvent) {
	if len(events) == 0 {
		fmt.Fprintln(w, "Nothing happened yet.")
		return
	}
	cells := make([][]string, 0, len(events))
	for _, e := range events {
		what := e.Server
		if e.Tool != "" {
			what = targetOf(e.Server, e.Kind, e.Tool)
		}
		cells = append(cells, []string{e.Time.Local().Format(time.DateTime), e.What, what, fmt.Sprintf("%.12s", e.Hash)})
	}
	rows(w, []string{"TIME", "WHAT", "SERVER OR ITEM", "HASH"}, cells)
}
