package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine/scan"
)

type scanFlags struct{ server, corpus, format string }

func newQuarantineScanCommand(g *global) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan [NAME | --corpus DIR]",
		Short: "Look for hidden orders in tool definitions",
		Long: `Look for what attacks on agents look like in the definitions that wait, in those of
one server, or in the *.jsonl files of a folder with rows of id, name, description
and input_schema. Verdicts are pass, review and block. A scanner orders a review and
never replaces it: rewriting escapes every rule.`,
		Example: `  mcpproxy quarantine scan
  mcpproxy quarantine scan github -o json
  mcpproxy quarantine scan --corpus ./tools -o jsonl`,
		Args:              atMostOne,
		ValidArgsFunction: completeServers(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := nameOnce(cmd, &f.server, args); err != nil {
				return err
			}
			if !slices.Contains([]string{"table", "json", "jsonl"}, f.format) {
				return usage(cmd, "--output must be table, json or jsonl, not %q", f.format)
			}
			if f.corpus != "" && f.server != "" {
				return usage(cmd, "a server and --corpus exclude each other")
			}
			if f.corpus != "" {
				list, err := scanFolder(cmd.Context(), f.corpus)
				if err != nil {
					return err
				}
				return printScan(cmd, f.format, list)
			}
			return g.connect(cmd, func(ctx context.Context, c *client.Client) error {
				tools, err := toolsToScan(ctx, c, f.server)
				if err != nil {
					return err
				}
				return printScan(cmd, f.format, scanAll(tools))
			})
		},
	}
	cmd.Flags().StringVar(&f.server, "server", "", "the same as NAME: every tool of this server, starting it once where it does not run")
	cmd.Flags().StringVar(&f.corpus, "corpus", "", "scan the *.jsonl files of this `folder`")
	cmd.Flags().StringVarP(&f.format, "output", "o", "table", "output `format`: table, json or jsonl")
	_ = cmd.RegisterFlagCompletionFunc("server", completeServers(g))
	return cmd
}

// prediction is the result of one row.
type prediction struct {
	ID string `json:"id"`
	scan.Report
}

// toolsToScan are what waits, or all that a server lists.
func toolsToScan(ctx context.Context, c *client.Client, server string) ([]tool.Tool, error) {
	var found []client.Tool
	if server != "" {
		list, err := c.ListTools(ctx, server, client.ListOptions{})
		if err != nil {
			return nil, err
		}
		found = list
	} else {
		waiting, err := c.Waiting(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range waiting {
			found = append(found, p.Tools...)
		}
	}
	tools := make([]tool.Tool, 0, len(found))
	for _, t := range found {
		kind, err := tool.ParseKind(t.Kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.ID, err)
		}
		one, err := tool.DecodeAs(kind, t.Server, t.Definition)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.ID, err)
		}
		tools = append(tools, one)
	}
	return tools, nil
}

func scanAll(tools []tool.Tool) []prediction {
	list := make([]prediction, 0, len(tools))
	for _, t := range tools {
		id := t.ID.String()
		if t.ID.Kind != "" {
			id = t.ID.Target()
		}
		list = append(list, prediction{id, scan.Tool(t, tools)})
	}
	return list
}

// scanFolder scans every row of every *.jsonl file of dir.
func scanFolder(ctx context.Context, dir string) ([]prediction, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &client.Error{Code: client.CodeNotFound, Message: "no *.jsonl file is in " + dir, Hint: `a row is {"id","name","description","input_schema"}`}
	}
	list := []prediction{}
	for _, name := range files {
		found, err := scanFile(ctx, name)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func scanFile(ctx context.Context, name string) ([]prediction, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var list []prediction
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan() && ctx.Err() == nil; n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		p, err := scanRow(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		list = append(list, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, ctx.Err()
}

// scanRow scans one row; a row without a description is a change with its text in
// "after", or nothing to look at.
func scanRow(line []byte) (prediction, error) {
	var row struct {
		ID, Name, Description string
		InputSchema           json.RawMessage `json:"input_schema"`
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return prediction{}, err
	}
	definition := map[string]any{"name": row.Name, "description": row.Description}
	if row.Name == "" {
		definition["name"] = "unnamed"
	}
	if len(row.InputSchema) > 0 {
		definition["inputSchema"] = row.InputSchema
	}
	raw, err := json.Marshal(definition)
	if err != nil {
		return prediction{}, err
	}
	t, err := tool.Decode("corpus", raw)
	if err != nil {
		return prediction{}, err
	}
	return prediction{row.ID, scan.Tool(t, nil)}, nil
}

func printScan(cmd *cobra.Command, format string, list []prediction) error {
	out := cmd.OutOrStdout()
	switch format {
	case "json":
		data, err := marshal(map[string]any{"predictions": list})
		if err == nil {
			_, err = out.Write(data)
		}
		return err
	case "jsonl":
		for _, p := range list {
			data, err := json.Marshal(p)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(out, "%s\n", escape.JSON(data)); err != nil {
				return err
			}
		}
		return nil
	}
	printVerdicts(out, list)
	return nil
}

// printVerdicts shows what is not passed, gravest first.
func printVerdicts(w io.Writer, list []prediction) {
	var cells [][]string
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b prediction) int { return -strings.Compare(rankOf(a), rankOf(b)) })
	for _, p := range sorted {
		if p.Verdict == scan.Pass {
			continue
		}
		why := ""
		if len(p.Findings) > 0 {
			why = p.Findings[0].Why
		}
		cells = append(cells, []string{string(p.Verdict), fmt.Sprintf("%.1f", p.Score), p.ID, sentence(why, 80)})
	}
	if len(cells) > 0 {
		rows(w, []string{"VERDICT", "SCORE", "TOOL", "WHY"}, cells)
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s scanned, %d for review or blocked\n", plural(len(list), "tool"), len(cells))
}

func rankOf(p prediction) string {
	grave := "0"
	if p.Verdict == scan.Block {
		grave = "1"
	}
	return fmt.Sprintf("%s %08.2f", grave, p.Score)
}
