package index

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/embed"
	"mcpproxy/internal/tool"
	"mcpproxy/models"
)

// bundledModel returns the embedder of the program itself.
func bundledModel(t testing.TB) embed.Embedder {
	t.Helper()
	m, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := m.Materialize(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e, err := embed.NewHugot(embed.HugotOptions{Dir: dir, Info: m.Info})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// developmentSet is one set of the proof with the bars of hybrid search.
type developmentSet struct {
	name string
	set  Set
	// least values; 0 where there is none
	recall5, ndcg10 float64
	styles          map[string]float64 // least recall@5 by "set"
	gain            float64            // least recall@5 above BM25 alone
}

func developmentSets(t testing.TB) []developmentSet {
	t.Helper()
	data := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(data, "retrieval")); err != nil {
		t.Skipf("no retrieval sets: %v", err)
	}
	read := func(folder, queries string) Set {
		set, err := ReadSet(filepath.Join(data, "retrieval", folder, "tools.jsonl"), filepath.Join(data, "retrieval", folder, queries))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	return []developmentSet{
		{name: "mcp-real", set: read("mcp-real", "queries.jsonl"), recall5: .88, ndcg10: .81},
		{name: "mcp-real written", set: read("mcp-real", "queries_written.jsonl"), recall5: .86, styles: map[string]float64{"written-task": .72, "written-plain": .72}},
		{name: "metatool", set: read("metatool", "queries.jsonl"), ndcg10: .65},
		{name: "seal-tools", set: read("seal-tools", "queries.jsonl"), ndcg10: .90},
		{name: "held-out", set: readWritten(t, filepath.Join(data, "train", "written.jsonl.gz"), heldOut), gain: .10},
	}
}

// heldOut reports the tools that models/train/corpus.py keeps out of training.
func heldOut(pid string) bool { return sha256.Sum256([]byte(pid))[0] < 26 }

// readWritten reads rows of {"pid","tool","query","style"}: all the tools, and
// the requests for those that pick wants.
func readWritten(t testing.TB, path string, pick func(pid string) bool) Set {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Skipf("no written requests: %v", err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var set Set
	numbers := make(map[string]int)
	err = scanLines(unpacked, path, func(row []byte) error {
		var r struct{ PID, Tool, Query, Style string }
		if err := json.Unmarshal(row, &r); err != nil {
			return err
		}
		n, known := numbers[r.PID]
		if !known {
			n = len(set.tools)
			numbers[r.PID] = n
			name, description, _ := strings.Cut(r.Tool, ":")
			set.tools = append(set.tools, setTool{id: r.PID, Tool: tool.Tool{ID: tool.ID{Name: name}, Description: strings.TrimSpace(description)}})
		}
		if pick(r.PID) {
			set.queries = append(set.queries, setQuery{text: r.Query, set: r.Style, groups: [][]int{{n}}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// measured are the metrics of every query of a set in one mode.
type measured []Metrics

func measure(t testing.TB, x *Index, numbers map[tool.ID]int, set Set, mode Mode) measured {
	t.Helper()
	out := make(measured, 0, len(set.queries))
	for _, q := range set.queries {
		hits, err := x.find(t.Context(), Query{Text: q.text, Limit: evalDepth, Mode: mode}, false)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, judge(q.groups, hits, numbers))
	}
	return out
}

// mean and its bootstrap interval of 95 %.
func (m measured) mean(of func(Metrics) float64) (mean, low, high float64) {
	if len(m) == 0 {
		return 0, 0, 0
	}
	r := rand.New(rand.NewPCG(1, 2))
	means := make([]float64, 1000)
	for i := range means {
		for range m {
			means[i] += of(m[r.IntN(len(m))])
		}
		means[i] /= float64(len(m))
	}
	slices.Sort(means)
	for _, q := range m {
		mean += of(q)
	}
	return mean / float64(len(m)), means[25], means[974]
}

func recall5(m Metrics) float64 { return m.Recall5 }
func ndcg10(m Metrics) float64  { return m.NDCG10 }

// TestProof_Hybrid holds hybrid search with the bundled model to its bars on
// every development set, prints the table of docs/retrieval.md, and lets no set
// be worse than with BM25 alone.
func TestProof_Hybrid(t *testing.T) {
	path := os.Getenv("MCPPROXY_PROOF")
	if path == "" {
		t.Skip("takes a minute: make bench-retrieval")
	}
	sets := developmentSets(t)
	e := bundledModel(t)
	var table strings.Builder
	fmt.Fprintf(&table, "| set | mode | R@1 | R@3 | R@5 | R@10 | NDCG@10 | MRR |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range sets {
		x, numbers, err := openSet(t.Context(), s.set, EvalOptions{Embedder: e})
		if err != nil {
			t.Fatal(err)
		}
		byMode := make(map[Mode]measured)
		for _, mode := range []Mode{BM25, Vector, Hybrid} {
			m := measure(t, x, numbers, s.set, mode)
			byMode[mode] = m
			fmt.Fprintf(&table, "| %s (%d of %d) | %s |%s\n", s.name, len(s.set.queries), len(s.set.tools), mode, m.row())
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		s.check(t, byMode, &table)
	}
	t.Logf("recall of groups, with bootstrap intervals of 95 %%\n%s", table.String())
	if err := os.WriteFile(path, []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m measured) row() string {
	var b strings.Builder
	for _, of := range []func(Metrics) float64{
		func(m Metrics) float64 { return m.Recall1 }, func(m Metrics) float64 { return m.Recall3 }, recall5,
		func(m Metrics) float64 { return m.Recall10 }, ndcg10, func(m Metrics) float64 { return m.MRR },
	} {
		mean, low, high := m.mean(of)
		fmt.Fprintf(&b, " %s (%s-%s) |", share(mean), share(low), share(high))
	}
	return b.String()
}

func share(x float64) string { return strings.TrimPrefix(fmt.Sprintf("%.3f", x), "0") }

// check compares hybrid search with the bars of s.
func (s developmentSet) check(t *testing.T, byMode map[Mode]measured, table *strings.Builder) {
	t.Helper()
	hybrid, bm25 := byMode[Hybrid], byMode[BM25]
	atLeast := func(what string, got, want float64) {
		t.Helper()
		if got < want-5e-4 {
			t.Errorf("%s: %s %.4f, want at least %.4f", s.name, what, got, want)
		}
	}
	for _, c := range []struct {
		what string
		of   func(Metrics) float64
		bar  float64
	}{{"recall@5", recall5, s.recall5}, {"NDCG@10", ndcg10, s.ndcg10}} {
		got, _, _ := hybrid.mean(c.of)
		lexical, _, _ := bm25.mean(c.of)
		atLeast(c.what, got, c.bar)
		atLeast(c.what+" against BM25", got, lexical)
		if c.what == "recall@5" {
			atLeast(c.what+" against BM25", got, lexical+s.gain)
		}
	}
	styles := make(map[string]measured)
	for i, q := range s.set.queries {
		styles[q.set] = append(styles[q.set], hybrid[i])
	}
	for style, bar := range s.styles {
		got, low, high := styles[style].mean(recall5)
		atLeast(style+" recall@5", got, bar)
		fmt.Fprintf(table, "| %s | hybrid | | | %s (%s-%s) | | | |\n", style, share(got), share(low), share(high))
	}
}
