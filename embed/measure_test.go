package embed

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"mcpproxy/models"
)

// transformer is a model of MiniLM's shape with random weights.
const transformer = "testdata/transformer"

// skipUnderRace spares the race detector's checkptr the matrix product of the
// backend, which goes through memory by address.
func skipUnderRace(t *testing.T) {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the backend's matrix product does not pass checkptr: run without -race")
	}
}

func TestHugot_Embed_PoolsTokensOfATransformer(t *testing.T) {
	t.Parallel()
	skipUnderRace(t)
	h, err := NewHugot(HugotOptions{Dir: transformer, Info: models.Info{Name: "tiny", Dim: 32}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	data, err := os.ReadFile(filepath.Join(transformer, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for i, together := range embedAll(t, h, Passage, texts(cases)) {
		alone := embedAll(t, h, Query, []string{cases[i].Text})[0]
		if a, b := dot(together, cases[i].Vector), dot(alone, cases[i].Vector); a < .9999 || b < .9999 {
			t.Errorf("%.20q: cosine to PyTorch's vector %.5f in a batch, %.5f alone, want > .9999", cases[i].Text, a, b)
		}
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	skipUnderRace(t)
	dim, speed, err := Measure(t.Context(), transformer)
	if err != nil || dim != 32 || speed.Query <= 0 || speed.Passages <= 0 || math.IsInf(speed.Passages, 0) {
		t.Errorf("Measure = %d, %+v, %v", dim, speed, err)
	}
}

func TestMeasure_RefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	skipUnderRace(t)
	cases := map[string]func(dir string) error{
		"no model":      func(dir string) error { return os.Remove(filepath.Join(dir, "model.onnx")) },
		"no tokenizer":  func(dir string) error { return os.Remove(filepath.Join(dir, "tokenizer.json")) },
		"cut model":     func(dir string) error { return os.Truncate(filepath.Join(dir, "model.onnx"), 60000) },
		"model is text": func(dir string) error { return os.WriteFile(filepath.Join(dir, "model.onnx"), []byte("hello"), 0o600) },
		"bad tokenizer": func(dir string) error { return os.WriteFile(filepath.Join(dir, "tokenizer.json"), []byte("{}"), 0o600) },
		"bad config":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "config.json"), []byte("["), 0o600) },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(transformer)); err != nil {
				t.Fatal(err)
			}
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if dim, _, err := Measure(t.Context(), dir); err == nil {
				t.Errorf("Measure = %d, want an error", dim)
			}
		})
	}
}

func TestHugot_Load_RefusesAnotherShape(t *testing.T) {
	t.Parallel()
	h, err := NewHugot(HugotOptions{Dir: transformer, Info: models.Info{Name: "tiny", Dim: 31}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	if err := h.Ready(t.Context()); !errors.Is(err, ErrModel) {
		t.Errorf("Ready() = %v, want ErrModel", err)
	}
}
