// Package embedtest holds every [embed.Embedder] to the contract of the seam.
package embedtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcpproxy/embed"
)

// tolerance of lengths, and of vectors that a text gets in different batches.
const (
	normTolerance  = 1e-6
	batchTolerance = 1e-4
)

// texts are what upstreams and agents may send.
var texts = []string{
	"create_issue: Create an issue in a repository. Parameters: owner, repo, title, body",
	"what will the weather be in Lisbon tomorrow",
	"",
	" \t\n",
	"!?… --- ///",
	"日本の天気を教えて",
	"Größe ändern, naïve café",
	"[SEP] [CLS] [MASK] <s> </s> [PAD]",
	"broken \xff\xfe\xc3 bytes \x00 and a nul",
	"👩‍👩‍👧‍👦 family and a zero\u200bwidth space",
	"word",
	strings.Repeat("list all the files of a directory and its folders ", 2000),
	strings.Repeat("x", 100_000),
}

// Run runs the contract suite on what open returns. open is called once for
// each test; the suite closes what it gets.
func Run(t *testing.T, open func(t *testing.T) embed.Embedder) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, e embed.Embedder)
	}{
		{"model", testModel},
		{"no texts", testNoTexts},
		{"shape and norm", testShape},
		{"order and determinism", testOrder},
		{"vectors are the caller's", testOwnership},
		{"concurrency", testConcurrency},
		{"cancelled context", testCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.test(t, e)
		})
	}
}

func testModel(t *testing.T, e embed.Embedder) {
	m := e.Model()
	if m.Name == "" || m.Digest == "" || m.Dim < 1 {
		t.Errorf("Model() = %+v, want a name, a digest and a length", m)
	}
	if again := e.Model(); again != m {
		t.Errorf("Model() = %+v, before %+v", again, m)
	}
}

func testNoTexts(t *testing.T, e embed.Embedder) {
	for _, none := range [][]string{nil, {}} {
		if got := mustEmbed(t, e, embed.Query, none); len(got) != 0 {
			t.Errorf("Embed(no texts) gave %d vectors", len(got))
		}
	}
}

func testShape(t *testing.T, e embed.Embedder) {
	for _, kind := range []embed.Kind{embed.Query, embed.Passage} {
		for i, v := range mustEmbed(t, e, kind, texts) {
			if err := check(v, e.Model().Dim); err != nil {
				t.Errorf("kind %d, text %d (%.20q): %v", kind, i, texts[i], err)
			}
		}
	}
}

func check(v []float32, dim int) error {
	if len(v) != dim {
		return fmt.Errorf("length %d, want %d", len(v), dim)
	}
	norm := 0.0
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	if norm = math.Sqrt(norm); math.IsNaN(norm) || math.Abs(norm-1) > normTolerance {
		return fmt.Errorf("norm %v, want 1", norm)
	}
	return nil
}

// testOrder compares a batch with its texts one by one and in reverse.
func testOrder(t *testing.T, e embed.Embedder) {
	batch := mustEmbed(t, e, embed.Passage, texts)
	reversed := slices.Clone(texts)
	slices.Reverse(reversed)
	back := mustEmbed(t, e, embed.Passage, reversed)
	for i, text := range texts {
		alone := mustEmbed(t, e, embed.Passage, []string{text})
		if d := distance(batch[i], alone[0]); d > batchTolerance {
			t.Errorf("text %d differs by %v alone and in a batch", i, d)
		}
		if d := distance(batch[i], back[len(texts)-1-i]); d > batchTolerance {
			t.Errorf("text %d differs by %v in a reversed batch", i, d)
		}
	}
	again := mustEmbed(t, e, embed.Passage, texts)
	for i := range texts {
		if !slices.Equal(batch[i], again[i]) {
			t.Errorf("text %d gave two vectors in equal batches", i)
		}
	}
}

func distance(x, y []float32) float64 {
	if len(x) != len(y) {
		return math.Inf(1)
	}
	most := 0.0
	for i := range x {
		most = max(most, math.Abs(float64(x[i])-float64(y[i])))
	}
	return most
}

func testOwnership(t *testing.T, e embed.Embedder) {
	first := mustEmbed(t, e, embed.Query, texts[:1])
	want := slices.Clone(first[0])
	clear(first[0])
	if got := mustEmbed(t, e, embed.Query, texts[:1]); distance(got[0], want) > batchTolerance {
		t.Error("a vector that a caller changed came back changed")
	}
}

func testConcurrency(t *testing.T, e embed.Embedder) {
	want := mustEmbed(t, e, embed.Passage, texts[:4])
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := e.Embed(t.Context(), embed.Passage, texts[:4])
			if err != nil {
				t.Errorf("Embed: %v", err)
				return
			}
			for i := range want {
				if d := distance(got[i], want[i]); d > batchTolerance {
					t.Errorf("text %d differs by %v beside others", i, d)
				}
			}
		})
	}
	wg.Wait()
}

func testCancelled(t *testing.T, e embed.Embedder) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, embed.Passage, texts); !errors.Is(err, context.Canceled) {
		t.Errorf("Embed with a cancelled context: error %v, want context.Canceled", err)
	}
}

func mustEmbed(t *testing.T, e embed.Embedder, kind embed.Kind, batch []string) [][]float32 {
	t.Helper()
	got, err := e.Embed(t.Context(), kind, batch)
	if err != nil {
		t.Fatalf("Embed: %v", err)
	}
	if len(got) != len(batch) {
		t.Fatalf("Embed gave %d vectors for %d texts", len(got), len(batch))
	}
	return got
}
