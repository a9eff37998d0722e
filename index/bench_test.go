package index

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mcpproxy/embed"
	"mcpproxy/embed/embedtest"
	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// benchWords is a vocabulary with the skew of a language: word i is drawn about
// 1/i as often as the first.
func benchWords() func() string {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.1, 8, 8000)
	return func() string {
		return fmt.Sprintf("w%c%c%c", 'a'+z.Uint64()%26, 'a'+z.Uint64()/26%26, 'a'+z.Uint64()/676%26)
	}
}

// benchTools makes n tools of the size of real ones, on servers of 50.
func benchTools(b *testing.B, n int) map[string][]tool.Tool {
	word := benchWords()
	several := func(n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = word()
		}
		return strings.Join(parts, " ")
	}
	tools := make(map[string][]tool.Tool)
	for i := range n {
		server := fmt.Sprint("server", i/50)
		name := strings.ReplaceAll(several(2), " ", "_") + fmt.Sprint("_", i)
		tools[server] = append(tools[server], newTool(b, server, name, several(30), word(), word(), word(), word()))
	}
	return tools
}

func benchIndex(b *testing.B, n int, records Records[Entry], opt Options) *Index {
	x := open(b, records, opt)
	for server, tools := range benchTools(b, n) {
		replace(b, x, server, tools...)
	}
	return x
}

func BenchmarkIndex_Search(b *testing.B) {
	for _, n := range []int{100, 1000, 3000, 10000} {
		b.Run(fmt.Sprint("bm25/", n), func(b *testing.B) { benchSearch(b, benchIndex(b, n, nil, Options{}), BM25) })
	}
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint("hybrid/", n), func(b *testing.B) {
			x := benchIndex(b, n, nil, Options{Embedder: embedtest.Hash{}})
			if err := x.WaitVectors(b.Context()); err != nil {
				b.Fatal(err)
			}
			benchSearch(b, x, Hybrid)
		})
	}
}

func benchSearch(b *testing.B, x *Index, mode Mode) {
	word := benchWords()
	queries := make([]string, 100)
	for i := range queries {
		queries[i] = "please " + word() + " the " + word() + " " + word() + " of my " + word() + " " + word()
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := x.Search(b.Context(), Query{Text: queries[i%len(queries)], Mode: mode}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIndex_Connect is the start of a proxy: every server lists once.
func BenchmarkIndex_Connect(b *testing.B) {
	for _, n := range []int{572, 10000} {
		tools := benchTools(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				x := open(b, nil, Options{})
				for server, list := range tools {
					replace(b, x, server, list...)
				}
			}
		})
	}
}

// BenchmarkIndex_Replace changes one tool of many.
func BenchmarkIndex_Replace(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := benchIndex(b, n, nil, Options{})
			for i := 0; b.Loop(); i++ {
				replace(b, x, "busy", newTool(b, "busy", "tool", fmt.Sprint("version ", i)))
			}
		})
	}
}

func BenchmarkIndex_Open(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, err := store.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			records := bucket[Entry](b, db, "tools")
			benchIndex(b, n, records, Options{})
			for b.Loop() {
				open(b, records, Options{})
			}
		})
	}
}

func BenchmarkEmbedding_Decode(b *testing.B) {
	vectors, _ := embedtest.Hash{}.Embed(b.Context(), embed.Passage, []string{"some text"})
	e := newEmbedding(vectors[0])
	for b.Loop() {
		if _, err := e.decode(len(vectors[0])); err != nil {
			b.Fatal(err)
		}
	}
}
