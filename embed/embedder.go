// Package embed turns texts into vectors of one length whose inner product is
// their similarity. It never opens a socket.
package embed

import (
	"context"

	"mcpproxy/models"
)

// Kind says which side of the search a text stands on; a model may treat the
// two differently.
type Kind int

// The two sides.
const (
	Query Kind = iota
	Passage
)

// Embedder is the seam between the index and a sentence model. Implementations
// are safe for concurrent use.
type Embedder interface {
	// Embed returns len(texts) vectors, in the order of texts, each
	// Model().Dim float32s with L2 norm 1 ± 1e-6. The vectors are the caller's.
	Embed(ctx context.Context, kind Kind, texts []string) ([][]float32, error)
	// Model describes what makes the vectors. It does not change.
	Model() models.Info
	Close() error
}
