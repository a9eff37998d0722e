package index

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sharedSets returns the folder of the public retrieval sets beside a checkout.
func sharedSets(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", "retrieval")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no retrieval sets: %v", err)
	}
	return dir
}

// TestEvaluate_SharedSets holds the shipped configuration to its bars on the
// public retrieval sets, where a checkout has them beside it.
func TestEvaluate_SharedSets(t *testing.T) {
	t.Parallel()
	dir := sharedSets(t)
	recall5 := func(r Report) float64 { return r.Recall5 }
	ndcg10 := func(r Report) float64 { return r.NDCG10 }
	for _, c := range []struct {
		set, queries string
		metric       func(Report) float64
		bar          float64
	}{
		{"mcp-real", "queries.jsonl", recall5, .84},
		{"mcp-real", "queries_written.jsonl", recall5, .80},
		{"metatool", "queries.jsonl", recall5, .66},
		{"seal-tools", "queries.jsonl", ndcg10, .90},
	} {
		t.Run(c.set+"/"+c.queries, func(t *testing.T) {
			t.Parallel()
			set, err := ReadSet(filepath.Join(dir, c.set, "tools.jsonl"), filepath.Join(dir, c.set, c.queries))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Evaluate(t.Context(), set, EvalOptions{Mode: BM25})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("R@1 %.4f R@5 %.4f R@10 %.4f NDCG@10 %.4f MRR %.4f p50 %.3f ms p95 %.3f ms",
				r.Recall1, r.Recall5, r.Recall10, r.NDCG10, r.MRR, r.LatencyMS.P50, r.LatencyMS.P95)
			for name, m := range r.Sets {
				t.Logf("  %-24s R@1 %.4f R@5 %.4f NDCG@10 %.4f", name, m.Recall1, m.Recall5, m.NDCG10)
			}
			if got := c.metric(r); got < c.bar {
				t.Errorf("%.4f, want at least %.2f", got, c.bar)
			}
		})
	}
}

// TestEvaluate_SharedSets_StuffingDoesNotWin adds one tool that is padded with
// the most frequent words of 2,620 real ones, in several ways, and counts the
// requests that it is among the first five of.
func TestEvaluate_SharedSets_StuffingDoesNotWin(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(sharedSets(t), "mcp-real")
	set, err := ReadSet(filepath.Join(dir, "tools.jsonl"), filepath.Join(dir, "queries_written.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("bm25", func(t *testing.T) { stuffingDoesNotWin(t, set, EvalOptions{Mode: BM25}) })
	t.Run("hybrid", func(t *testing.T) {
		if testing.Short() {
			t.Skip("embeds 2,620 tools")
		}
		stuffingDoesNotWin(t, set, EvalOptions{Mode: Hybrid, Embedder: bundledModel(t)})
	})
}

// stuffingDoesNotWin adds one tool padded with the set's own frequent words.
func stuffingDoesNotWin(t *testing.T, set Set, opt EvalOptions) {
	t.Helper()
	x, _, err := openSet(t.Context(), set, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	words := frequentWords(set)
	for _, c := range []struct{ words, times int }{{20, 15}, {50, 6}, {100, 3}, {300, 1}} {
		padding := strings.Repeat(strings.Join(words[:c.words], " ")+" ", c.times)
		replace(t, x, "evil", newTool(t, "evil", "helper", padding, words[:min(c.words, 40)]...))
		settle(t, x)
		seen := 0
		for _, q := range set.queries {
			if slices.Contains(ids(t, x, Query{Text: q.text, Mode: opt.Mode}), "evil:helper") {
				seen++
			}
		}
		if seen > len(set.queries)/100 {
			t.Errorf("%d words %d times: among the first five of %d of %d requests", c.words, c.times, seen, len(set.queries))
		}
	}
}

// frequentWords returns the words of a set's tools, the most frequent first.
func frequentWords(set Set) []string {
	counts := make(map[string]int)
	a, v := newAnalyzer(), loadVocabulary()
	for _, t := range set.tools {
		for _, tok := range a.tokens(t.Description) {
			if !v.stop[tok.word] && len(tok.word) > 2 {
				counts[tok.word]++
			}
		}
	}
	words := make([]string, 0, len(counts))
	for word := range counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(x, y string) int {
		return strings.Compare(fmt.Sprintf("%09d %s", counts[y], y), fmt.Sprintf("%09d %s", counts[x], x))
	})
	return words
}
