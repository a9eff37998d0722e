package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mcpproxy/internal/escape"
)

// output is the -o flag of a command.
type output struct{ format string }

func (o *output) flag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "output", "o", "table", "output `format`: table, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains([]string{"table", "json", "yaml"}, o.format) {
			return usage(cmd, "--output must be table, json or yaml, not %q", o.format)
		}
		return run(cmd, args)
	}
}

// print writes v as the flag says, where a list that is nil is an empty one;
// table writes the form for people.
func (o *output) print(cmd *cobra.Command, v any, table func(w io.Writer)) error {
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.IsNil() {
		v = []struct{}{}
	}
	var out bytes.Buffer
	switch o.format {
	case "json":
		data, err := marshal(v)
		if err != nil {
			return err
		}
		out.Write(data)
	case "yaml":
		data, err := marshalYAML(v)
		if err != nil {
			return err
		}
		out.Write(data)
	default:
		table(&out)
	}
	_, err := cmd.OutOrStdout().Write(out.Bytes())
	return err
}

// marshal is indented JSON whose strings cannot trick a terminal.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escape.JSON(out.Bytes()), nil
}

// emptyNotNull is list for a field of an answer: one that is nil prints as [].
func emptyNotNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// rows writes an aligned table. Cells are foreign text and put on one line each.
func rows(w io.Writer, header []string, cells [][]string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(header, "\t"))
	for _, row := range cells {
		for i, cell := range row {
			row[i] = escape.Line(cell)
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	_ = tw.Flush() // into memory
}

// pairs writes one "key  value" line for each pair whose value is not empty.
func pairs(w io.Writer, keysAndValues ...string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		if keysAndValues[i+1] != "" {
			fmt.Fprintf(tw, "%s\t%s\n", keysAndValues[i], escape.Line(keysAndValues[i+1]))
		}
	}
	_ = tw.Flush()
}

// sentence is the first sentence of a description, at most width characters.
func sentence(text string, width int) string {
	text = strings.Join(strings.Fields(text), " ")
	if first, _, cut := strings.Cut(text, ". "); cut {
		text = first + "."
	}
	if r := []rune(text); len(r) > width {
		text = string(r[:width-3]) + "..."
	}
	return text
}

// indent puts every line of foreign text, escaped, behind prefix.
func indent(prefix, text string) string { return prefixed(prefix, escape.Text(text)) }

func prefixed(prefix, text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return prefix + strings.Join(lines, "\n"+prefix) + "\n"
}

// plural is "1 tool", "2 tools".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
