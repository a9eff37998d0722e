package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/index"
	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
)

func newSearchCommand(g *global) *cobra.Command {
	var limit int
	var server, expect string
	var explain bool
	var o output
	cmd := &cobra.Command{
		Use:   "search WORDS",
		Short: "Find tools as an agent would",
		Long: `Find approved tools by what they do, best first, exactly as retrieve_tools does for
an agent. --explain says why each hit stands where it stands; --expect SERVER:TOOL
says where that tool stands, or what hides it.`,
		Example: `  mcpproxy search "read a text file"
  mcpproxy search create an issue --server github --explain
  mcpproxy search "open a ticket" --expect github:create_issue
  mcpproxy search "what time is it" --limit 3 -o json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			query := strings.TrimSpace(strings.Join(args, " "))
			if query == "" {
				return usage(cmd, "WORDS are missing")
			}
			if _, err := tool.ParseID(expect); expect != "" && err != nil {
				return usage(cmd, "--expect must be server:tool, not %q", expect)
			}
			if limit < 0 {
				return usage(cmd, "--limit must not be negative")
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				hits, err := c.Search(ctx, query, limit, server)
				if err != nil {
					return err
				}
				if !explain {
					for i := range hits {
						hits[i].Explain = nil
					}
				}
				if len(hits) == 0 {
					g.sayNoHits(ctx, cmd.ErrOrStderr(), c)
				}
				if expect == "" {
					return o.print(cmd, hits, func(w io.Writer) { printHits(w, hits) })
				}
				e, err := c.Expect(ctx, query, server, expect)
				if err != nil {
					return err
				}
				both := map[string]any{"hits": emptyNotNull(hits), "expected": e}
				return o.print(cmd, both, func(w io.Writer) {
					printHits(w, hits)
					g.printExpectation(w, e)
				})
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, `most hits to print (default "top_k" of the configuration)`)
	cmd.Flags().StringVarP(&server, "server", "s", "", "only tools of this server")
	cmd.Flags().BoolVar(&explain, "explain", false, "say why each hit was found")
	cmd.Flags().StringVar(&expect, "expect", "", "say where this `server:tool` stands, or what hides it")
	o.flag(cmd)
	return cmd
}

func (g *global) printExpectation(w io.Writer, e client.Expectation) {
	fmt.Fprint(w, indent("", fmt.Sprintf("\nExpected %s: %s", e.ID, g.here(e.Reason))))
	if len(e.Explain) > 0 {
		printExplain(w, e.Explain)
	}
}

// sayNoHits names the reason that is not the query's.
func (g *global) sayNoHits(ctx context.Context, w io.Writer, c *client.Client) {
	waiting, err := c.Waiting(ctx)
	if err == nil && len(waiting) > 0 {
		fmt.Fprintf(w, "Nothing found. %s waiting for your approval: %s\n", plural(len(waiting), "server"), g.here("mcpproxy quarantine list"))
		return
	}
	fmt.Fprintln(w, "Nothing found.")
}

func printHits(w io.Writer, hits []client.Hit) {
	if len(hits) == 0 {
		return
	}
	if len(hits[0].Explain) == 0 {
		cells := make([][]string, 0, len(hits))
		for _, h := range hits {
			cells = append(cells, []string{fmt.Sprintf("%.3f", h.Score), h.ID, h.Access, sentence(h.Description, 80)})
		}
		rows(w, []string{"SCORE", "TOOL", "ACCESS", "DESCRIPTION"}, cells)
		return
	}
	for i, h := range hits {
		fmt.Fprint(w, indent("", fmt.Sprintf("%d. %s  score %.3f  %s", i+1, h.ID, h.Score, h.Access)))
		fmt.Fprint(w, indent("   ", sentence(h.Description, 100)))
		printExplain(w, h.Explain)
	}
}

func printExplain(w io.Writer, raw json.RawMessage) {
	var why index.Explain
	if json.Unmarshal(raw, &why) != nil {
		return
	}
	arm := func(name string, a index.Arm) string {
		if a.Rank == 0 {
			return name + " -"
		}
		return fmt.Sprintf("%s rank %d (%.3f)", name, a.Rank, a.Score)
	}
	line := arm("bm25", why.BM25) + ", " + arm("vector", why.Vector)
	if why.Words > 0 {
		line += fmt.Sprintf(", words %.3f", why.Words)
	}
	fmt.Fprintln(w, "   "+line)
	for _, m := range why.Terms {
		fmt.Fprint(w, indent("   ", fmt.Sprintf("%6.3f  %s in %s", m.Score, m.Term, strings.Join(m.Fields, ", "))))
	}
	if why.Note != "" {
		fmt.Fprint(w, indent("   ", why.Note))
	}
}
