package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"mcpproxy/index"
	"mcpproxy/internal/tool"
	"mcpproxy/models"
)

func TestSentence_Follow_BundledServesWhereTheChosenCannot(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bundled, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(root, ".bundled", "0123456789abcdef")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(nil, index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSentence(root, x, zap.NewNop(), "nowhere")
	t.Cleanup(func() { _, _ = x.Close(), s.Close() })
	if _, err := x.Replace(t.Context(), "s", []tool.Tool{{ID: tool.ID{Name: "list_absences"}, Description: "Who is absent"}}); err != nil {
		t.Fatal(err)
	}
	query := index.Query{Text: "who is absent"}
	hits, err := x.Search(t.Context(), query) // answers before any model is there
	if err != nil || len(hits) != 1 || !strings.HasPrefix(hits[0].Explain.Note, "bm25 only") {
		t.Fatalf("before the model: %+v, %v", hits, err)
	}
	s.follow(t.Context())
	if fault := s.fault.Load(); fault == nil || !strings.Contains(*fault, "nowhere") || !strings.Contains(*fault, "bundled model serves") {
		t.Errorf("fault = %v, want one that names the model", fault)
	}
	if got := x.Status().Model; got != bundled.Name {
		t.Errorf("in service is %q, want %q", got, bundled.Name)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("an older version's files were left")
	}
	if err := x.WaitVectors(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hits, err = x.Search(t.Context(), query); err != nil || len(hits) != 1 || hits[0].Explain.Vector.Rank != 1 || hits[0].Explain.Note != "" {
		t.Errorf("with the model: %+v, %v", hits, err)
	}
	s.want("")
	s.follow(t.Context())
	if fault := s.fault.Load(); fault != nil {
		t.Errorf("fault = %q after the wish for the bundled model", *fault)
	}
}

func TestSentence_None_KeepsModelsOut(t *testing.T) {
	t.Parallel()
	x, err := index.Open(nil, index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	s := newSentence(root, x, zap.NewNop(), noModel)
	s.follow(t.Context())
	if fault := s.fault.Load(); fault != nil {
		t.Errorf("fault = %q, want none", *fault)
	}
	if got := x.Status().Model; got != "" || s.embedder != nil {
		t.Errorf("in service is %q, want nothing", got)
	}
	if unpacked, err := os.ReadDir(root); err != nil || len(unpacked) != 0 {
		t.Errorf("unpacked %v, %v", unpacked, err)
	}
}

func TestSentence_Run_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	x, err := index.Open(nil, index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSentence(t.TempDir(), x, zap.NewNop(), "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
