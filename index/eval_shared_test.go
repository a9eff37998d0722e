package index

import (
	"os"
	"path/filepath"
	"testing"
)

// TestEvaluate_SharedSets holds the shipped configuration to its bars on the
// public retrieval sets, where a checkout has them beside it.
func TestEvaluate_SharedSets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "shared", "data", "retrieval")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no retrieval sets: %v", err)
	}
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
