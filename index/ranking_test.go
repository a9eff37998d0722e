package index

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/embed/embedtest"
)

var update = flag.Bool("update", false, "rewrite testdata/ranking/*.golden")

// TestRanking_Goldens shows what a change of the ranking does: the first hits
// of a few dozen requests in each mode, and their metrics. A difference wants a
// sentence in the commit.
func TestRanking_Goldens(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "ranking")
	queries, set := readRanking(t, dir)
	var stats strings.Builder
	fmt.Fprintf(&stats, "%-8s %8s %8s %8s\n", "mode", "recall@1", "recall@5", "mrr")
	for _, mode := range []Mode{BM25, Vector, Hybrid} {
		opt := EvalOptions{Mode: mode, Embedder: embedtest.Hash{}}
		x, _, err := openSet(t.Context(), set, opt)
		if err != nil {
			t.Fatal(err)
		}
		out := firstHits(t, x, queries, mode)
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join(dir, string(mode)+".golden"), out)
		r, err := Evaluate(t.Context(), set, opt)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&stats, "%-8s %8.3f %8.3f %8.3f\n", mode, r.Recall1, r.Recall5, r.MRR)
	}
	golden(t, filepath.Join(dir, "rank_stats.golden"), stats.String())
}

// TestRanking_Goldens_BundledModel is the same for hybrid search as it ships. A
// new bundled model changes it, too.
func TestRanking_Goldens_BundledModel(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "ranking")
	queries, set := readRanking(t, dir)
	opt := EvalOptions{Mode: Hybrid, Embedder: bundledModel(t)}
	x, _, err := openSet(t.Context(), set, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	golden(t, filepath.Join(dir, "bundled.golden"), firstHits(t, x, queries, Hybrid))
}

// firstHits lists the first hits of each query.
func firstHits(t *testing.T, x *Index, queries []string, mode Mode) string {
	t.Helper()
	var out strings.Builder
	for _, q := range queries {
		fmt.Fprintf(&out, "%s\n", q)
		hits, err := x.Search(t.Context(), Query{Text: q, Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			fmt.Fprintf(&out, "\t%s\n", h.Tool.ID)
		}
	}
	return out.String()
}

// readRanking reads tools.jsonl and queries.txt, lines of
// "request | id, id"; any of the ids is right.
func readRanking(t *testing.T, dir string) ([]string, Set) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "queries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	var rows strings.Builder
	for line := range strings.Lines(string(text)) {
		query, right, found := strings.Cut(strings.TrimSpace(line), " | ")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		queries = append(queries, query)
		row, err := json.Marshal(map[string]any{"query": query, "groups": [][]string{strings.Split(right, ", ")}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&rows, "%s\n", row)
	}
	path := filepath.Join(t.TempDir(), "queries.jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := ReadSet(filepath.Join(dir, "tools.jsonl"), path)
	if err != nil {
		t.Fatal(err)
	}
	return queries, set
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./index -update writes it)", err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s differs; go test ./index -update rewrites it, git diff shows how", path)
	}
}
