package embed_test

import (
	"testing"

	"mcpproxy/embed"
	"mcpproxy/embed/embedtest"
	"mcpproxy/models"
)

func TestHugot_KeepsTheContract(t *testing.T) {
	t.Parallel()
	m, err := models.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := m.Materialize(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	embedtest.Run(t, func(t *testing.T) embed.Embedder {
		h, err := embed.NewHugot(embed.HugotOptions{Dir: dir, Info: m.Info})
		if err != nil {
			t.Fatal(err)
		}
		return h
	})
}
