package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

// askedCharacters is how much of the hash a person types: enough that nobody
// approves without having looked at the page.
const askedCharacters = 6

type approveFlags struct {
	hash, server string
	all          bool
	output
}

func newQuarantineApproveCommand(g *global) *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve SERVER | SERVER:TOOL | --server NAME --all",
		Short: "Let a server or one tool in, exactly as shown",
		Long: `Approve what a server runs and exactly the tools of its stored listing, inspecting
it first where there is none; or one tool that waits. What would be approved is
printed, and you are asked on the terminal for the first six characters of its hash.

Without a terminal nothing is approved, unless --hash names the whole hash of what
you read: quarantine inspect and diff print it. If the text moved meanwhile,
nothing is approved either.`,
		Example: `  mcpproxy quarantine approve github
  mcpproxy quarantine approve github:create_issue
  mcpproxy quarantine approve --server github --all
  mcpproxy quarantine approve github --hash 5d41402abc4b...`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, tool, err := f.target(cmd, args)
			if err != nil {
				return err
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				if tool != "" {
					return approveTool(ctx, cmd, c, name, tool, f)
				}
				return approveServer(ctx, cmd, c, name, f)
			})
		},
	}
	cmd.Flags().StringVar(&f.hash, "hash", "", "whole hash of what you read")
	cmd.Flags().StringVar(&f.server, "server", "", "server whose waiting tools to approve together")
	cmd.Flags().BoolVar(&f.all, "all", false, "everything that waits of --server")
	f.flag(cmd)
	return cmd
}

// target reads what to approve from the arguments. tool is empty for a server.
func (f approveFlags) target(cmd *cobra.Command, args []string) (server, tool string, err error) {
	switch {
	case len(args) == 0 && f.server == "":
		return "", "", usage(cmd, "name a server, a tool as server:tool, or --server NAME --all")
	case len(args) > 0 && f.server != "":
		return "", "", usage(cmd, "name the server once: as an argument or with --server")
	case f.server != "" && !f.all:
		return "", "", usage(cmd, "--server approves everything that waits: add --all, or name one tool as %s:TOOL", f.server)
	case f.server != "":
		return f.server, "", nil
	}
	server, tool, _ = strings.Cut(args[0], ":")
	return server, tool, nil
}

func approveServer(ctx context.Context, cmd *cobra.Command, c *client.Client, name string, f approveFlags) error {
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
		what := fmt.Sprintf("%s with %s", escape.Line(page.Server), plural(len(page.Tools), "tool"))
		if err := askHash(cmd, "approve", what, page.Server, page.Hash); err != nil {
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
		for _, t := range page.Tools {
			fmt.Fprintf(w, "  %s  %.12s\n", escape.Line(t.ID), t.Hash)
		}
	})
}

func approveTool(ctx context.Context, cmd *cobra.Command, c *client.Client, server, name string, f approveFlags) error {
	id := server + ":" + name
	if f.hash == "" {
		t, err := waitingTool(ctx, c, server, name)
		if err != nil {
			return err
		}
		printTool(cmd.ErrOrStderr(), t)
		if err := askHash(cmd, "approve", escape.Line(id), id, t.Hash); err != nil {
			return err
		}
		f.hash = t.Hash
	}
	if err := c.ApproveTool(ctx, server, name, f.hash); err != nil {
		return err
	}
	done := map[string]string{"approved": id, "hash": f.hash}
	return f.print(cmd, done, func(w io.Writer) { fmt.Fprintf(w, "Approved %s  %.12s\n", escape.Line(id), f.hash) })
}

// waitingTool returns one tool that waits.
func waitingTool(ctx context.Context, c *client.Client, server, name string) (client.Tool, error) {
	waiting, err := c.Waiting(ctx)
	if err != nil {
		return client.Tool{}, err
	}
	for _, p := range waiting {
		if p.Server != server {
			continue
		}
		for _, t := range p.Tools {
			if t.Name == name {
				return t, nil
			}
		}
	}
	return client.Tool{}, &client.Error{Code: "not_found", Message: fmt.Sprintf("no tool %s:%s waits", server, name),
		Hint: "mcpproxy quarantine list shows what waits"}
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

// askHash returns nil if a person typed the beginning of the hash on the
// terminal. verb is the command, target its argument and what how a person calls
// that.
func askHash(cmd *cobra.Command, verb, what, target, hash string) error {
	answer, asked, err := question(cmd, fmt.Sprintf("\nTo %s %s as shown, type the first %d characters of its hash %.12s: ", verb, what, askedCharacters, hash))
	switch {
	case err != nil:
		return err
	case !asked:
		return &client.Error{Code: "held", Message: fmt.Sprintf("nothing is %sd: there is no terminal to ask on", verb),
			Hint: fmt.Sprintf("read it, then: mcpproxy quarantine %s %s --hash %s", verb, target, hash)}
	case !strings.EqualFold(answer, hash[:min(askedCharacters, len(hash))]):
		return fmt.Errorf("not %sd: that is not how the hash begins", verb)
	}
	return nil
}
