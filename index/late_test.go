package index

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"mcpproxy/embed"
	"mcpproxy/models"
)

// senses embeds words by what they mean, as far as meanings says it; a text is
// the hash of its words, so that only late interaction sees the meaning.
type senses struct {
	spy
	meanings map[string]string
	unknown  string // a word without a vector
	alone    int    // single words embedded as passages
}

func (s *senses) Embed(ctx context.Context, kind embed.Kind, texts []string) ([][]float32, error) {
	meant := slices.Clone(texts)
	for i, text := range texts {
		if text == s.unknown {
			return nil, errors.New("no vector")
		}
		if m, ok := s.meanings[text]; ok {
			meant[i] = m
		}
		if kind == embed.Passage && !strings.ContainsAny(text, " ._") {
			s.alone++
		}
	}
	return s.spy.Embed(ctx, kind, meant)
}

func (s *senses) Model() models.Info {
	info := s.Hash.Model()
	info.Words = true
	return info
}

func TestLate_ServerWithoutTools(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{Embedder: &senses{}})
	replace(t, x, "hr", newTool(t, "hr", "payroll_run", "Runs the payroll of everyone in the office"))
	settle(t, x)
	if hits, err := x.Search(t.Context(), Query{Text: "payroll of the office", Server: "nobody"}); len(hits) != 0 || err != nil {
		t.Errorf("Search = %v, %v, want nothing", hits, err)
	}
}

func TestLate_FindsAWordByItsSense(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query, unknown string
	}{
		{name: "another word for it", query: "everyone sick in the office"},
		{name: "beside a word without a vector", query: "everyone sick in the zzyzx office", unknown: "zzyzx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := &senses{meanings: map[string]string{"sick": "absences"}, unknown: c.unknown}
			x := open(t, nil, Options{Embedder: e})
			replace(t, x, "hr", newTool(t, "hr", "payroll_run", "Runs the payroll of everyone in the office"),
				newTool(t, "hr", "presence_list", "Lists absences of everyone in the office"))
			settle(t, x)
			hits, err := x.Search(t.Context(), Query{Text: c.query})
			if err != nil || len(hits) != 2 {
				t.Fatalf("%v, %v", hits, err)
			}
			if got := hits[0].Tool.ID.Name; c.unknown == "" && got != "presence_list" {
				t.Errorf("first is %s, want presence_list", got)
			}
			for _, h := range hits {
				if h.Explain.Words <= 0 || h.Explain.Words > 1 || h.Score <= 0 || h.Score > 1 {
					t.Errorf("%s: words %.3f, score %.3f, want both in (0, 1]", h.Tool.ID, h.Explain.Words, h.Score)
				}
			}
		})
	}
}

func TestLate_TheNamedToolStaysFirst(t *testing.T) {
	t.Parallel()
	e := &senses{meanings: map[string]string{"payroll": "zebra"}}
	x := open(t, nil, Options{Embedder: e})
	replace(t, x, "hr", newTool(t, "hr", "payroll_run", "x"), newTool(t, "hr", "other", "payroll_run payroll run runs payroll"))
	settle(t, x)
	hits, err := x.Search(t.Context(), Query{Text: "payroll_run"})
	if err != nil || len(hits) == 0 || hits[0].Tool.ID.Name != "payroll_run" {
		t.Errorf("%v, %v; want payroll_run first", hits, err)
	}
}

func TestLate_WordsAreEmbeddedOnce(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	records, stored := bucket[Entry](t, db, "tools"), bucket[Embedding](t, db, "vectors")
	e := &senses{unknown: "zzyzx"}
	x := open(t, records, Options{Embedder: e, Vectors: stored})
	replace(t, x, "srv", newTool(t, "srv", "alpha", "beta gamma zzyzx"))
	settle(t, x)
	first := e.alone
	if first == 0 {
		t.Fatal("no word was embedded")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, records, Options{Embedder: e, Vectors: stored})
	settle(t, again)
	if e.alone != first {
		t.Errorf("a restart embedded %d words", e.alone-first)
	}
	if n := len(again.worker.Load().vectors.Load().words.rows); n != 4 { // srv alpha beta gamma
		t.Errorf("%d words have vectors, want 4", n)
	}
}

func TestSpokenOf_IsBounded(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 500 {
		many = append(many, "word"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	s := newAnalyzer().spokenOf("the_name", "", "server", strings.Join(many, " "), many)
	if s.names != 2 || len(s.words) > maxSpoken || s.words[0].Value() != "name" {
		t.Errorf("%d words, %d of the name, first %q", len(s.words), s.names, s.words[0].Value())
	}
}
