package embedtest_test

import (
	"context"
	"testing"

	"mcpproxy/embed"
	"mcpproxy/embed/embedtest"
)

func TestHash_Contract(t *testing.T) {
	t.Parallel()
	for _, h := range []embedtest.Hash{{}, {Dim: 1}, {Dim: 384}} {
		t.Run(h.Model().Name, func(t *testing.T) {
			t.Parallel()
			embedtest.Run(t, func(*testing.T) embed.Embedder { return h })
		})
	}
}

func TestHash_Embed_SharedWordsAreNear(t *testing.T) {
	t.Parallel()
	vectors, err := embedtest.Hash{}.Embed(context.Background(), embed.Passage, []string{
		"create an issue in a repository", "create repository issues", "weather forecast for tomorrow",
	})
	if err != nil {
		t.Fatal(err)
	}
	near, far := dot(vectors[0], vectors[1]), dot(vectors[0], vectors[2])
	if near < far+.2 {
		t.Errorf("similarity of like texts %.3f, of unlike ones %.3f", near, far)
	}
}

func dot(x, y []float32) (sum float64) {
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

func FuzzHash_Embed(f *testing.F) {
	f.Add("create_issue: Create an issue")
	f.Add("\xff\x00日本")
	f.Fuzz(func(t *testing.T, text string) {
		vectors, err := embedtest.Hash{}.Embed(t.Context(), embed.Query, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if n := dot(vectors[0], vectors[0]); n < 1-1e-6 || n > 1+1e-6 {
			t.Errorf("norm² of %q = %v", text, n)
		}
	})
}
