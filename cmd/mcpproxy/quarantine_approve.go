package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/tool"
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
		Use:   "approve SERVER | SERVER:ITEM | --server NAME --all",
		Short: "Let a server or one item of it in, exactly as shown",
		Long: `Approve what a server runs and exactly what its stored listing holds, inspecting it
first where there is none; or one item that waits. What would be approved is printed,
and you are asked on the terminal for the first six characters of its hash.

Without a terminal nothing is approved, unless --hash names the whole hash of what
you read: quarantine inspect and diff print it. If the text moved meanwhile,
nothing is approved either.
` + itemHelp,
		Example: `  mcpproxy quarantine approve github
  mcpproxy quarantine approve github:create_issue
  mcpproxy quarantine approve github:prompt/review
  mcpproxy quarantine approve --server github --all
  mcpproxy quarantine approve github --hash 5d41402abc4b...`,
		Args:              atMostOne,
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := f.target(cmd, args)
			if err != nil {
				return err
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				if id.Name != "" {
					return approveItem(ctx, cmd, c, id, f)
				}
				return approveServer(ctx, cmd, c, id.Server, f)
			})
		},
	}
	cmd.Flags().StringVar(&f.hash, "hash", "", "whole hash of what you read")
	cmd.Flags().StringVar(&f.server, "server", "", "server of which to approve everything that waits")
	cmd.Flags().BoolVar(&f.all, "all", false, "everything that waits of --server")
	f.flag(cmd)
	return cmd
}

// itemHelp says how commands name one item of a server.
const itemHelp = `
SERVER:ITEM is server:name for a tool, server:prompt/NAME, server:resource/URI,
server:template/URI and server:instructions for what else a server lists.`

// target reads what to approve from the arguments. Without a name it is a server.
func (f approveFlags) target(cmd *cobra.Command, args []string) (tool.ID, error) {
	switch {
	case len(args) == 0 && f.server == "":
		return tool.ID{}, usage(cmd, "name a server, an item as server:name, or --server NAME --all")
	case len(args) > 0 && f.server != "":
		return tool.ID{}, usage(cmd, "name the server once: as an argument or with --server")
	case f.server != "" && !f.all:
		return tool.ID{}, usage(cmd, "--server approves everything that waits: add --all, or name one item as %s:NAME", f.server)
	case f.server != "":
		return tool.ID{Server: f.server}, nil
	}
	return readTarget(cmd, args[0])
}

// readTarget reads SERVER or SERVER:ITEM.
func readTarget(cmd *cobra.Command, arg string) (tool.ID, error) {
	id := tool.ParseTarget(arg)
	if id.Server == "" {
		return id, usage(cmd, "%q names no server: SERVER or SERVER:ITEM", arg)
	}
	return id, nil
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
		if page.State == "blocked" {
			return blockedError(name)
		}
		printPage(cmd.ErrOrStderr(), page)
		what := fmt.Sprintf("%s with %s", escape.Line(page.Server), counted(page.Tools))
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
		fmt.Fprintf(w, "Approved %s with %s\n", escape.Line(page.Server), counted(page.Tools))
		for _, t := range page.Tools {
			fmt.Fprintf(w, "  %s  %.12s\n", escape.Line(t.ID), t.Hash)
		}
	})
}

func approveItem(ctx context.Context, cmd *cobra.Command, c *client.Client, id tool.ID, f approveFlags) error {
	target := id.Target()
	if f.hash == "" {
		t, err := waitingItem(ctx, c, id)
		if err != nil {
			return err
		}
		if t.State == "blocked" {
			return blockedError(target)
		}
		printTool(cmd.ErrOrStderr(), t)
		if err := askHash(cmd, "approve", escape.Line(target), target, t.Hash); err != nil {
			return err
		}
		f.hash = t.Hash
	}
	if err := c.ApproveItem(ctx, id.Server, client.ApproveRequest{Tool: id.Name, Kind: string(id.Kind), Hash: f.hash}); err != nil {
		return err
	}
	done := map[string]string{"approved": target, "hash": f.hash}
	return f.print(cmd, done, func(w io.Writer) { fmt.Fprintf(w, "Approved %s  %.12s\n", escape.Line(target), f.hash) })
}

// waitingItem returns one definition that waits.
func waitingItem(ctx context.Context, c *client.Client, id tool.ID) (client.Tool, error) {
	page, err := c.Page(ctx, id.Server)
	if err != nil {
		return client.Tool{}, err
	}
	for _, t := range page.Tools {
		if t.Name == id.Name && t.Kind == id.Kind.String() {
			return t, nil
		}
	}
	if slices.Contains(page.Blocked, id.Target()) {
		return client.Tool{}, blockedError(id.Target())
	}
	return client.Tool{}, &client.Error{Code: client.CodeNotFound, Message: fmt.Sprintf("no %s %s waits", id.Kind, id.Target()),
		Hint: "mcpproxy quarantine list shows what waits"}
}

// blockedError says why nothing of target is approved. target is a server or an item.
func blockedError(target string) error {
	return &client.Error{Code: client.CodeHeld, Message: fmt.Sprintf("%s is blocked, and no approval lifts that", target),
		Hint: hint.Command("quarantine", "unblock", target)}
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
		return &client.Error{Code: client.CodeHeld, Message: fmt.Sprintf("nothing is %sd: there is no terminal to ask on", verb),
			Hint: "read it, then: " + hint.Command("quarantine", verb, target, "--hash", hash)}
	case !strings.EqualFold(answer, hash[:min(askedCharacters, len(hash))]):
		return fmt.Errorf("not %sd: that is not how the hash begins", verb)
	}
	return nil
}
