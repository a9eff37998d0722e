package index

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpproxy/embed"
	"mcpproxy/internal/tool"
)

// TestProof_Speed measures hybrid search with the bundled model over real tools,
// repeated under other servers where there are too few, as docs/retrieval.md
// shows it.
func TestProof_Speed(t *testing.T) {
	path := os.Getenv("MCPPROXY_PROOF")
	if path == "" {
		t.Skip("takes a minute: make bench-retrieval")
	}
	set := developmentSets(t)[0].set
	e := bundledModel(t)
	var table strings.Builder
	fmt.Fprint(&table, "| tools | cold: vectors made | tools/s | warm start | query p50 | p95 | of it embedding p50 | memory in use |\n|---|---|---|---|---|---|---|---|\n")
	for _, n := range []int{500, 3000, 10000} {
		fmt.Fprint(&table, speedRow(t, repeated(set, n), e))
	}
	fmt.Fprintf(&table, "\nWhile 3,000 tools are embedded for the first time: query embedding p50 %.2f ms.\n", busyEmbedding(t, repeated(set, 3000), e))
	t.Logf("\n%s", table.String())
	if err := os.WriteFile(path+".speed", []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// busyEmbedding returns the milliseconds (p50) that the vector of a request takes
// while the tools of set are embedded in the background, and holds it to its bar.
func busyEmbedding(t *testing.T, set Set, e embed.Embedder) float64 {
	t.Helper()
	x := open(t, nil, Options{Embedder: e})
	for i, one := range set.tools {
		one.ID.Server = fmt.Sprint("s", i%50)
		set.tools[i] = one
	}
	for server := range 50 {
		var tools []tool.Tool
		for i := server; i < len(set.tools); i += 50 {
			tools = append(tools, set.tools[i].Tool)
		}
		replace(t, x, fmt.Sprint("s", server), tools...)
	}
	var took []time.Duration
	for i := 0; x.Status().Vectors < x.Status().Tools; i++ {
		began := time.Now()
		if _, err := e.Embed(t.Context(), embed.Query, []string{set.queries[i%len(set.queries)].text}); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	p50 := quantile(took, .5)
	if len(took) < 100 || p50 > 2 {
		t.Errorf("%d requests embedded meanwhile, p50 %.2f ms; want at most 2 ms", len(took), p50)
	}
	return p50
}

// repeated is set with n tools, no two of one text.
func repeated(set Set, n int) Set {
	out := Set{queries: set.queries}
	for i := range n {
		tool := set.tools[i%len(set.tools)]
		if again := i / len(set.tools); again > 0 {
			tool.ID.Server += fmt.Sprint(again)
			tool.ID.Name += fmt.Sprint(again)
			tool.Raw = nil
		}
		out.tools = append(out.tools, tool)
	}
	return out
}

func speedRow(t *testing.T, set Set, e embed.Embedder) string {
	t.Helper()
	start := time.Now()
	x, _, err := openSet(t.Context(), set, EvalOptions{Embedder: e})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	cold := time.Since(start)
	var searches, embeddings []time.Duration
	for _, q := range set.queries[:200] {
		began := time.Now()
		if _, err := x.Search(t.Context(), Query{Text: q.text}); err != nil {
			t.Fatal(err)
		}
		searches = append(searches, time.Since(began))
		began = time.Now()
		if _, err := e.Embed(t.Context(), embed.Query, []string{q.text}); err != nil {
			t.Fatal(err)
		}
		embeddings = append(embeddings, time.Since(began))
	}
	slices.Sort(searches)
	slices.Sort(embeddings)
	began := time.Now()
	w := x.worker.Load()
	if _, err := newVectors(t.Context(), x.snap.Load(), w.known, w.words); err != nil {
		t.Fatal(err)
	}
	warm := time.Since(began)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("| %d | %.1f s | %.0f | %.0f ms | %.2f ms | %.2f ms | %.2f ms | %d MB |\n", len(set.tools), cold.Seconds(),
		float64(len(set.tools))/cold.Seconds(), warm.Seconds()*1e3, quantile(searches, .5), quantile(searches, .95), quantile(embeddings, .5), m.HeapAlloc>>20)
}
