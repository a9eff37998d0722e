package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
	"mcpproxy/quarantine"
	"mcpproxy/quarantine/scan"
)

const (
	defaultColumns = 100
	leastColumns   = 40
)

func newQuarantineDiffCommand(g *global) *cobra.Command {
	var o output
	var sides bool
	cmd := &cobra.Command{
		Use:   "diff SERVER:ITEM",
		Short: "Show what changed in an item since it was approved",
		Long: `Show word by word how the definition that waits differs from the approved one:
[-what goes-] and {+what comes+}. What comes is never shortened; control and
invisible characters are written as code points. The class orders the review and
decides nothing, like the drift of the meaning (0 says the same): wording, new
capability (schema or hints), new directive (words that tell an agent what to do).
` + itemHelp,
		Example: "  mcpproxy quarantine diff github:create_issue\n  mcpproxy quarantine diff github:instructions\n  mcpproxy quarantine diff github:create_issue --side-by-side",
		Args:    wants("SERVER:ITEM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := readTarget(cmd, args[0])
			if err != nil {
				return err
			}
			if id.Name == "" {
				return usage(cmd, "name the tool as server:tool, or another item as --help says")
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				t, err := waitingItem(ctx, c, id)
				if err != nil {
					return err
				}
				return o.print(cmd, t, func(w io.Writer) { g.printDiff(w, cmd.OutOrStdout(), t, sides) })
			})
		},
	}
	cmd.Flags().BoolVar(&sides, "side-by-side", false, "old text on the left, new text on the right")
	o.flag(cmd)
	return cmd
}

// printDiff writes to w for screen.
func (g *global) printDiff(w, screen io.Writer, t client.Tool, sides bool) {
	d, ok := differenceOf(t)
	if !ok {
		fmt.Fprintf(w, "%s was never approved, so there is nothing to compare it with.\n", escape.Line(t.ID))
		printTool(w, t)
		return
	}
	if sides {
		fmt.Fprintf(w, "%s: %s\n%s\n\n", escape.Line(t.ID), classOf(d, t), notes(t))
		for _, c := range d.Changes {
			printSides(w, c, columns(screen))
		}
	} else {
		printInline(w, screen, d, t)
	}
	approve := hint.Command("quarantine", "approve", targetOf(t.Server, t.Kind, t.Name))
	fmt.Fprintf(w, "\nhash %s\nNext: %s, or block it\n", t.Hash, escape.Line(g.here(approve)))
}

// printInline writes the changes with what the scanner found in each below it,
// and the rest of the notes above.
func printInline(w, screen io.Writer, d quarantine.Difference, t client.Tool) {
	changed := map[string][]scan.Finding{}
	for _, c := range d.Changes {
		changed[c.Path] = nil
	}
	var report scan.Report
	if definition, err := definitionOf(t); err == nil {
		report = scan.Tool(definition, nil)
	}
	var elsewhere []scan.Finding
	for _, f := range report.Findings {
		if _, ok := changed[f.Field]; ok {
			changed[f.Field] = append(changed[f.Field], f)
		} else {
			elsewhere = append(elsewhere, f)
		}
	}
	report.Findings = elsewhere
	fmt.Fprintf(w, "%s: %s\n%s\n\n", escape.Line(t.ID), classOf(d, t), strings.Join(append(standing(t), findings(report)...), "\n"))
	var run []quarantine.Change // changes without a finding share lines
	for i, c := range d.Changes {
		if run = append(run, c); len(changed[c.Path]) == 0 && i < len(d.Changes)-1 {
			continue
		}
		for _, line := range (quarantine.Difference{Changes: run}).Lines(columns(screen), marks(screen)) {
			fmt.Fprintln(w, line)
		}
		for _, f := range changed[c.Path] {
			if report.Verdict != scan.Pass {
				fmt.Fprintf(w, "  ! %s: %s\n", f.Why, escape.Line(f.Text))
			}
		}
		run = nil
	}
}

// differenceOf returns what changed in t, if it was approved before.
func differenceOf(t client.Tool) (quarantine.Difference, bool) {
	var d quarantine.Difference
	return d, len(t.Diff) > 0 && json.Unmarshal(t.Diff, &d) == nil
}

// classOf is the class of a difference and how far the meaning moved.
func classOf(d quarantine.Difference, t client.Tool) string {
	text := string(d.Class)
	if t.Drift != nil {
		text += fmt.Sprintf(", meaning drifted %.2f (cosine %.2f)", *t.Drift, 1-*t.Drift)
	}
	return text
}

// notes says in a line each what a reviewer should know besides the text.
func notes(t client.Tool) string {
	lines := standing(t)
	if definition, err := definitionOf(t); err == nil && t.State != "approved" {
		lines = append(lines, findings(scan.Tool(definition, nil))...)
	}
	return strings.Join(lines, "\n")
}

// standing is notes without the scanner's.
func standing(t client.Tool) (lines []string) {
	if t.LooksLike != "" {
		lines = append(lines, fmt.Sprintf("its name looks like the approved %s %s", t.Kind, escape.Line(t.LooksLike)))
	}
	if t.Flapping {
		lines = append(lines, "it changed and came back more than once, so it waits whatever it says")
	}
	return lines
}

// findings are nothing for a definition that the scanner passes.
func findings(r scan.Report) []string {
	if r.Verdict == scan.Pass {
		return nil
	}
	lines := []string{fmt.Sprintf("scanner: %s (%.1f)", r.Verdict, r.Score)}
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("  %s, in %s: %s", f.Why, escape.Line(f.Field), escape.Line(f.Text)))
	}
	return lines
}

// printSides writes one change in two columns.
func printSides(w io.Writer, c quarantine.Change, width int) {
	var was, is strings.Builder
	for _, p := range c.Words {
		if p.Op != "+" {
			was.WriteString(p.Text)
		}
		if p.Op != "-" {
			is.WriteString(p.Text)
		}
	}
	half := (width - 3) / 2
	left, right := folded(escape.Line(was.String()), half), folded(escape.Line(is.String()), half)
	fmt.Fprintln(w, escape.Line(c.Path))
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		fmt.Fprintf(w, "%s%s | %s\n", l, strings.Repeat(" ", max(half-utf8.RuneCountInString(l), 0)), r)
	}
}

// folded cuts text into lines of at most width characters.
func folded(text string, width int) []string {
	var lines []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(width, len(runes))
		if at := strings.LastIndex(string(runes[:n]), " "); n < len(runes) && at > 0 {
			n = utf8.RuneCountInString(string(runes[:n])[:at]) + 1
		}
		lines = append(lines, strings.TrimRight(string(runes[:n]), " "))
		runes = runes[n:]
	}
	return lines
}

// columns is the width of the terminal behind w.
func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return max(width, leastColumns)
		}
	}
	return defaultColumns
}

// marks are colours on a terminal that wants them, brackets elsewhere.
func marks(w io.Writer) quarantine.Marks {
	if !colours(w) {
		return quarantine.PlainMarks
	}
	return quarantine.Marks{Gone: "\x1b[31m[-", GoneEnd: "-]\x1b[0m", Come: "\x1b[32m{+", ComeEnd: "+}\x1b[0m"}
}
