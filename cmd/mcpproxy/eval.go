package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"mcpproxy/cmd/mcpproxy/internal/app"
	"mcpproxy/index"
)

type evalFlags struct {
	tools, queries, mode string
	output
}

func newIndexEvalCommand() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval --tools FILE --queries FILE",
		Short: "Measure ranking on your own tools and queries",
		Long: `Measure how well search ranks, on your own tools and queries. Neither an instance
nor the data directory is touched. Both files hold one JSON object per line:

  tools    {"id", "server", "name", "description", "input_schema"}
  queries  {"id", "query", "relevant": [ids], "set"?, "groups"?: [[ids], ...]}

An id is any string; input_schema may be null. With groups, one id of each group
suffices. Vectors are the bundled model's. Recall is the mean over the queries'
groups, else over relevant.`,
		Example: `  mcpproxy index eval --tools tools.jsonl --queries queries.jsonl
  mcpproxy index eval --tools tools.jsonl --queries queries.jsonl --mode bm25 -o json`,
		Args: wants(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runEval(cmd, f) },
	}
	cmd.Flags().StringVar(&f.tools, "tools", "", "`file` of tools, one JSON object per line (required)")
	cmd.Flags().StringVar(&f.queries, "queries", "", "`file` of queries, one JSON object per line (required)")
	cmd.Flags().StringVar(&f.mode, "mode", "", "bm25, vector or hybrid (default hybrid)")
	f.flag(cmd)
	return cmd
}

func runEval(cmd *cobra.Command, f evalFlags) (err error) {
	switch {
	case f.tools == "":
		return usage(cmd, "--tools is missing")
	case f.queries == "":
		return usage(cmd, "--queries is missing")
	case f.mode != "" && !slices.Contains([]index.Mode{index.BM25, index.Vector, index.Hybrid}, index.Mode(f.mode)):
		return usage(cmd, "--mode must be bm25, vector or hybrid, not %q", f.mode)
	}
	set, err := index.ReadSet(f.tools, f.queries)
	if err != nil {
		return err
	}
	opt := index.EvalOptions{Mode: index.Mode(f.mode), Progress: progress(cmd.ErrOrStderr(), "queries")}
	if opt.Mode != index.BM25 {
		e, release, failed := app.BundledModel(cmd.Context())
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, release()) }()
		opt.Embedder = e
	}
	report, err := index.Evaluate(cmd.Context(), set, opt)
	if err != nil {
		return err
	}
	return f.print(cmd, report, func(w io.Writer) { printReport(w, report) })
}

func printReport(w io.Writer, r index.Report) {
	cells := make([][]string, 0, len(r.Sets)+1)
	if len(r.Sets) > 1 {
		for _, name := range slices.Sorted(maps.Keys(r.Sets)) {
			cells = append(cells, metricsRow(name, r.Sets[name]))
		}
	}
	cells = append(cells, metricsRow("all", r.Metrics))
	fmt.Fprintf(w, "%s, %s\n\n", r.Mode, plural(r.Tools, "tool"))
	rows(w, []string{"SET", "QUERIES", "R@1", "R@3", "R@5", "R@10", "NDCG@10", "MRR", "P50 MS", "P95 MS"}, cells)
}

func metricsRow(name string, m index.Metrics) []string {
	row := []string{name, strconv.Itoa(m.Queries)}
	for _, v := range []float64{m.Recall1, m.Recall3, m.Recall5, m.Recall10, m.NDCG10, m.MRR, m.LatencyMS.P50, m.LatencyMS.P95} {
		row = append(row, strconv.FormatFloat(v, 'f', 3, 64))
	}
	return row
}
