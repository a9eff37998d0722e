package index

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"mcpproxy/embed"
	"mcpproxy/embed/embedtest"
	"mcpproxy/internal/tool"
)

// spy is a hashing embedder that counts passages and fails on demand.
type spy struct {
	embedtest.Hash
	mu       sync.Mutex
	passages int // of different tools
	fail     func(kind embed.Kind, text string) error
}

func (s *spy) Embed(ctx context.Context, kind embed.Kind, texts []string) ([][]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if s.fail != nil {
			if err := s.fail(kind, text); err != nil {
				return nil, err
			}
		}
	}
	if kind == embed.Passage {
		s.passages += len(texts) / passagesPerTool
	}
	return s.Hash.Embed(ctx, kind, texts)
}

// settle waits until every vector is made.
func settle(t *testing.T, x *Index) {
	t.Helper()
	if err := x.WaitVectors(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestIndex_Vectors_AreMadeOnce(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	records, stored := bucket[Entry](t, db, "tools"), bucket[Embedding](t, db, "vectors")
	e := &spy{}
	x := open(t, records, Options{Embedder: e, Vectors: stored})
	replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "second"))
	settle(t, x)
	replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "second, changed"))
	settle(t, x)
	if e.passages != 3 {
		t.Errorf("%d texts embedded, want 3", e.passages)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, records, Options{Embedder: e, Vectors: stored})
	if got := again.Status(); got.Vectors != 2 || got.Model != "hash-256" {
		t.Errorf("Status after a restart = %+v, want 2 vectors at once", got)
	}
	settle(t, again)
	if e.passages != 3 {
		t.Errorf("a restart embedded %d texts", e.passages-3)
	}
	if err := again.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if e.passages != 5 {
		t.Errorf("Rebuild embedded %d texts, want 2", e.passages-3)
	}
}

func TestIndex_Vectors_DamagedOnesAreMadeAgain(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	records, stored := bucket[Entry](t, db, "tools"), bucket[Embedding](t, db, "vectors")
	x := open(t, records, Options{Embedder: &spy{}, Vectors: stored})
	replace(t, x, "s", newTool(t, "s", "one", "first"))
	settle(t, x)
	var key string
	_ = stored.All(func(k string, e Embedding, _ error) error { key = k; return nil })
	e, err := stored.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	e.Vector[5] ^= 1
	put(t, stored.Bucket, key, e)
	s := &spy{}
	again := open(t, records, Options{Embedder: s, Vectors: stored})
	settle(t, again)
	if got := again.Status().Vectors; got != 1 || s.passages != 1 {
		t.Errorf("%d vectors, %d texts embedded; want 1, 1", got, s.passages)
	}
}

func TestIndex_Search_Hybrid(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{Embedder: &spy{}})
	replace(t, x, "s", newTool(t, "s", "translate_text", "Translates a text"), newTool(t, "s", "summarize", "Shortens a text"))
	replace(t, x, "z", newTool(t, "z", "weather", "Forecast of the weather"))
	settle(t, x)
	for _, mode := range []Mode{Hybrid, Vector} {
		hits, err := x.Search(t.Context(), Query{Text: "translations", Mode: mode})
		if err != nil || len(hits) == 0 || hits[0].Tool.ID.Name != "translate_text" {
			t.Fatalf("%s: %v, %v", mode, hits, err)
		}
		if e := hits[0].Explain; e.Vector.Rank != 1 || e.Vector.Score <= 0 || e.Note != "" {
			t.Errorf("%s: Explain = %+v", mode, e)
		}
	}
	if got := ids(t, x, Query{Text: "weather text", Mode: Vector, Server: "z"}); len(got) != 1 || got[0] != "z:weather" {
		t.Errorf("vector search of one server = %v", got)
	}
	if err := x.Remove(t.Context(), "z"); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, x, Query{Text: "weather forecast", Mode: Hybrid, Limit: 50}); strings.Contains(strings.Join(got, " "), "z:") {
		t.Errorf("a removed tool is found: %v", got)
	}
}

func TestIndex_Search_FallsBackToBM25(t *testing.T) {
	t.Parallel()
	broken := errors.New("model broke")
	for _, c := range []struct {
		name string
		fail func(embed.Kind, string) error
		note string
		err  error
	}{
		{"no vectors yet", func(k embed.Kind, _ string) error { return broken }, noteNoVectors, ErrNoVectors},
		{"query fails", func(k embed.Kind, _ string) error {
			if k == embed.Query {
				return broken
			}
			return nil
		}, noteQueryError, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := open(t, nil, Options{Embedder: &spy{fail: c.fail}})
			replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "second"))
			_ = x.WaitVectors(t.Context())
			hits, err := x.Search(t.Context(), Query{Text: "first"})
			if err != nil || len(hits) != 1 || hits[0].Explain.Note != c.note {
				t.Errorf("hybrid: %+v, %v", hits, err)
			}
			if _, err := x.Search(t.Context(), Query{Text: "first", Mode: Vector}); !errors.Is(err, c.err) {
				t.Errorf("vector: %v, want %v", err, c.err)
			}
		})
	}
}

func TestIndex_Vectors_OneBadTextHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{Embedder: &spy{fail: func(_ embed.Kind, text string) error {
		if strings.Contains(text, "poison") {
			return errors.New("cannot read this")
		}
		return nil
	}}})
	replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "poison"), newTool(t, "s", "three", "third"))
	settle(t, x)
	if got := x.Status().Vectors; got != 2 {
		t.Errorf("%d vectors, want 2", got)
	}
	hits, err := x.Search(t.Context(), Query{Text: "poison"})
	if err != nil || len(hits) == 0 || hits[0].Tool.ID.Name != "two" {
		t.Errorf("the tool without a vector: %v, %v", hits, err)
	}
}

func TestIndex_Use_OldVectorsServeMeanwhile(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	records, stored := bucket[Entry](t, db, "tools"), bucket[Embedding](t, db, "vectors")
	x := open(t, records, Options{Vectors: stored})
	replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "second"))
	if hits, err := x.Search(t.Context(), Query{Text: "first"}); err != nil || len(hits) == 0 || hits[0].Explain.Note != noteNoModel {
		t.Fatalf("without an embedder: %+v, %v", hits, err)
	}
	old := &spy{}
	if err := x.Use(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	settle(t, x)

	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	next := &spy{Hash: embedtest.Hash{Dim: 64}, fail: func(embed.Kind, string) error {
		once.Do(func() { close(entered); <-release })
		return nil
	}}
	used := make(chan error, 1)
	go func() { used <- x.Use(t.Context(), next) }()
	<-entered
	hits, err := x.Search(t.Context(), Query{Text: "first"})
	if err != nil || len(hits) == 0 || hits[0].Explain.Vector.Rank != 1 || hits[0].Explain.Note != "" {
		t.Errorf("while the next embeds: %+v, %v", hits, err)
	}
	if got := x.Status(); got.Model != "hash-256" || got.Next != "hash-64" {
		t.Errorf("Status = %+v, want hash-256 in service and hash-64 next", got)
	}
	if err := x.Use(t.Context(), old); !errors.Is(err, ErrBusy) {
		t.Errorf("a third embedder: %v, want ErrBusy", err)
	}
	replace(t, x, "z", newTool(t, "z", "three", "third"))
	close(release)
	if err := <-used; err != nil {
		t.Fatal(err)
	}
	settle(t, x)
	if got := x.Status(); got.Model != "hash-64" || got.Next != "" || got.Vectors != 3 || next.passages != 3 {
		t.Errorf("Status = %+v after %d passages, want 3 vectors of hash-64", got, next.passages)
	}
	before := old.passages
	if err := x.Use(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if old.passages > 3 || old.passages < before {
		t.Errorf("the way back embedded %d texts, want at most the one it had not seen", old.passages-before)
	}
}

func TestIndex_Use_KeepsTheOldOneIfTheNewFails(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{Embedder: &spy{}})
	replace(t, x, "s", newTool(t, "s", "one", "first"), newTool(t, "s", "two", "second"))
	settle(t, x)
	broken := errors.New("model broke")
	if err := x.Use(t.Context(), &spy{Hash: embedtest.Hash{Dim: 64}, fail: func(embed.Kind, string) error { return broken }}); !errors.Is(err, broken) {
		t.Errorf("Use = %v, want %v", err, broken)
	}
	if got := x.Status(); got.Model != "hash-256" || got.Vectors != 2 || got.Next != "" {
		t.Errorf("Status = %+v, want the old model", got)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Use(t.Context(), &spy{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Use of a closed index = %v, want ErrClosed", err)
	}
}

// What was made is told while searches do not see it yet.
func TestIndex_Status_TellsHowFarVectorsAre(t *testing.T) {
	t.Parallel()
	const all = 3 * embedBatch
	entered, release := make(chan struct{}), make(chan struct{})
	calls := 0
	e := &spy{fail: func(kind embed.Kind, _ string) error {
		if calls++; kind == embed.Passage && calls == 1+embedBatch*passagesPerTool { // the second batch
			close(entered)
			<-release
		}
		return nil
	}}
	changed := make(chan struct{}, 1000)
	x := open(t, nil, Options{Embedder: e, Changed: func() { changed <- struct{}{} }})
	tools := make([]tool.Tool, all)
	for i := range tools {
		tools[i] = newTool(t, "s", fmt.Sprint("t", i), fmt.Sprint("does ", i))
	}
	replace(t, x, "s", tools...)
	<-entered
	if s := x.Status(); s.Vectors != 0 || s.Made != embedBatch {
		t.Errorf("in the second batch: %d vectors, %d made, want 0 and %d", s.Vectors, s.Made, embedBatch)
	}
	close(release)
	settle(t, x)
	if s := x.Status(); s.Vectors != all || s.Made != all {
		t.Errorf("at the end: %d vectors, %d made, want %d", s.Vectors, s.Made, all)
	}
	if len(changed) < 3 {
		t.Errorf("told %d times that something changed", len(changed))
	}
}
