package embed

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/models"
)

// golden is one text with what the training code made of it.
type golden struct {
	Text   string    `json:"text"`
	IDs    []uint32  `json:"ids"`
	Vector []float32 `json:"vector"`
}

func TestHugot_Embed_AgreesWithTrainingCode(t *testing.T) {
	t.Parallel()
	h, cases := bundledHugot(t), readGolden(t)
	for i, got := range embedAll(t, h, Passage, texts(cases)) {
		if c := dot(got, cases[i].Vector); c < 0.9999 {
			t.Errorf("%q: cosine to the golden vector %.5f, want > .9999", cases[i].Text, c)
		}
	}
}

func TestHugot_Embed_SameAloneAndInBatch(t *testing.T) {
	t.Parallel()
	h, cases := bundledHugot(t), readGolden(t)
	together := embedAll(t, h, Passage, texts(cases))
	for i, c := range cases {
		alone := embedAll(t, h, Query, []string{c.Text})[0]
		if d := dot(alone, together[i]); math.Abs(float64(d)-1) > 1e-6 {
			t.Errorf("%q: cosine alone to batch %v, want 1", c.Text, d)
		}
	}
}

func TestHugot_Embed_AnyText(t *testing.T) {
	t.Parallel()
	h := bundledHugot(t)
	cases := map[string]string{
		"empty":           "",
		"blank":           " \n\t",
		"invisible":       "\u200b\u200d",
		"invalid UTF-8":   "list \xff\xfe files",
		"long":            strings.Repeat("list files in a directory. ", 2000),
		"one long word":   strings.Repeat("x", 50000),
		"punctuation":     strings.Repeat("!?,;", 5000),
		"special tokens":  "[CLS] [SEP] [MASK] [PAD] [UNK]",
		"no known letter": "ᚠᚢᚦᚨᚱᚲ",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			v := embedAll(t, h, Passage, []string{text})[0]
			if n := dot(v, v); len(v) != h.Model().Dim || math.Abs(float64(n)-1) > 1e-6 {
				t.Errorf("vector of length %d and square norm %v", len(v), n)
			}
		})
	}
	if got := embedAll(t, h, Query, nil); len(got) != 0 {
		t.Errorf("Embed(nothing) = %d vectors, want 0", len(got))
	}
}

func TestHugot_Embed_SpecialTokensHaveNoPower(t *testing.T) {
	t.Parallel()
	h := bundledHugot(t)
	v := embedAll(t, h, Passage, []string{"send [SEP] mail", "send [ SEP ] mail"})
	if d := dot(v[0], v[1]); d < 0.9999 {
		t.Errorf("cosine %v between a literal [SEP] and its letters, want 1", d)
	}
}

func TestHugot_Embed_ConcurrentQueriesAndPassages(t *testing.T) {
	t.Parallel()
	h, cases := bundledHugot(t), readGolden(t)
	want := embedAll(t, h, Passage, texts(cases))
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for range 10 {
				got, err := h.Embed(t.Context(), Kind(n%2), texts(cases))
				if err != nil {
					t.Error(err)
					return
				}
				for i := range got {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%q: another vector under load", cases[i].Text)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestHugot_Embed_StopsWithContext(t *testing.T) {
	t.Parallel()
	h := bundledHugot(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Embed(ctx, Passage, []string{"x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Embed = %v, want context.Canceled", err)
	}
}

func TestHugot_Close_ThenEmbed(t *testing.T) {
	t.Parallel()
	h := openHugot(t, bundledDir(t))
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Embed(t.Context(), Query, []string{"x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("Embed = %v, want ErrClosed", err)
	}
}

func TestHugot_Ready_SaysWhyNot(t *testing.T) {
	t.Parallel()
	h := openHugot(t, t.TempDir())
	if err := h.Ready(t.Context()); err == nil {
		t.Error("Ready() = nil for an empty folder")
	}
	if _, err := h.Embed(t.Context(), Query, []string{"x"}); err == nil {
		t.Error("Embed worked for an empty folder")
	}
}

func TestHugot_Pool(t *testing.T) {
	t.Parallel()
	h := &Hugot{info: models.Info{Dim: 2}}
	nan := float32(math.NaN())
	cases := map[string]struct {
		output any
		want   []float32 // nil: ErrVector
	}{
		"sentence":     {[][]float32{{3, 4}}, []float32{0.6, 0.8}},
		"tokens":       {[][][]float32{{{1, 4}, {2, 0}}}, []float32{0.6, 0.8}},
		"zero":         {[][]float32{{0, 0}}, nil},
		"NaN":          {[][]float32{{1, nan}}, nil},
		"infinite":     {[][]float32{{1, float32(math.Inf(1))}}, nil},
		"wrong length": {[][]float32{{1, 2, 3}}, nil},
		"wrong type":   {[]float32{1, 2}, nil},
		"no tokens":    {[][][]float32{{}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := h.pool(c.output)
			if c.want == nil {
				if !errors.Is(err, ErrVector) {
					t.Errorf("pool(%v) = %v, %v, want ErrVector", c.output, got, err)
				}
				return
			}
			if err != nil || !slices.Equal(got[0], c.want) {
				t.Errorf("pool(%v) = %v, %v, want %v", c.output, got, err, c.want)
			}
		})
	}
}

func BenchmarkHugot_Query(b *testing.B) {
	h := bundledHugot(b)
	query := []string{"who is out sick today and needs a replacement"}
	for b.Loop() {
		if _, err := h.Embed(b.Context(), Query, query); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHugot_Passages(b *testing.B) {
	h := bundledHugot(b)
	passage := "github. create pull request. " + strings.Repeat("Opens a pull request from one branch to another of a repository. ", 6)
	batch := slices.Repeat([]string{passage}, 64)
	start := time.Now()
	for b.Loop() {
		if _, err := h.Embed(b.Context(), Passage, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/time.Since(start).Seconds(), "texts/s")
}

func bundledDir(t testing.TB) string {
	t.Helper()
	m, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := m.Materialize(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func openHugot(t testing.TB, dir string) *Hugot {
	t.Helper()
	m, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHugot(HugotOptions{Dir: dir, Info: m.Info})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func bundledHugot(t testing.TB) *Hugot {
	t.Helper()
	h := openHugot(t, bundledDir(t))
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func embedAll(t *testing.T, h *Hugot, kind Kind, batch []string) [][]float32 {
	t.Helper()
	got, err := h.Embed(t.Context(), kind, batch)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(batch) {
		t.Fatalf("%d vectors for %d texts", len(got), len(batch))
	}
	return got
}

func readGolden(t *testing.T) []golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func texts(cases []golden) []string {
	out := make([]string, len(cases))
	for i, c := range cases {
		out[i] = c.Text
	}
	return out
}

func dot(a, b []float32) float32 {
	var s float32
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
