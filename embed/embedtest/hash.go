package embedtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"unicode"

	"mcpproxy/embed"
	"mcpproxy/models"
)

// hashDim is the length of a [Hash]'s vectors unless it says otherwise.
const hashDim = 256

// maxHashText is how much of a text a [Hash] reads, in bytes.
const maxHashText = 16 << 10

// Hash is an [embed.Embedder] without weights, for tests: the words of a text and
// their trigrams are hashed to coordinates (feature hashing, Weinberger et al.
// 2009). Texts that share words or parts of words are near each other; it knows
// no meaning. Equal texts always give equal vectors. The zero value is ready.
type Hash struct {
	Dim int // length of the vectors; 0 means 256
}

// Embed implements [embed.Embedder]. Both kinds are treated alike.
func (h Hash) Embed(ctx context.Context, _ embed.Kind, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		vectors[i] = hashText(text, h.dim())
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return vectors, nil
}

// Model implements [embed.Embedder].
func (h Hash) Model() models.Info {
	name := fmt.Sprintf("hash-%d", h.dim())
	digest := sha256.Sum256([]byte(name))
	return models.Info{Name: name, Digest: hex.EncodeToString(digest[:]), Dim: h.dim()}
}

// Close implements [embed.Embedder]; there is nothing to close.
func (h Hash) Close() error { return nil }

func (h Hash) dim() int {
	if h.Dim <= 0 {
		return hashDim
	}
	return h.Dim
}

func hashText(text string, dim int) []float32 {
	if len(text) > maxHashText {
		text = text[:maxHashText]
	}
	sum := make([]float64, dim)
	words := strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(text, " ")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for _, word := range words {
		addHash(sum, word, 1)
		runes := []rune("^" + word + "$")
		for i := 0; i+3 <= len(runes); i++ {
			addHash(sum, string(runes[i:i+3]), .3)
		}
	}
	return unit(sum)
}

// addHash adds weight, with a sign that the hash chooses, to the coordinate
// that it chooses.
func addHash(sum []float64, feature string, weight float64) {
	f := fnv.New64a()
	_, _ = f.Write([]byte(feature)) // never fails
	h := f.Sum64()
	if h>>63 == 1 {
		weight = -weight
	}
	sum[h%uint64(len(sum))] += weight
}

// unit scales v to length 1; a text without a word gets the first axis.
func unit(v []float64) []float32 {
	norm := 0.0
	for _, x := range v {
		norm += x * x
	}
	out := make([]float32, len(v))
	if norm == 0 {
		out[0] = 1
		return out
	}
	norm = math.Sqrt(norm)
	for i, x := range v {
		out[i] = float32(x / norm)
	}
	return out
}
