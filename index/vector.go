package index

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/philippgille/chromem-go"

	"mcpproxy/internal/tool"
)

// passageVersion changes whenever passage does: vectors of an older text are
// made again.
const passageVersion = "1"

// Caps of the text that an embedder reads; sentence models read 128 to 256
// word pieces.
const (
	maxPassageDescription = 600 // bytes
	maxPassageParams      = 24
)

// passage is the text of t for an embedder.
func passage(t tool.Tool, schema schemaText) string {
	var b strings.Builder
	b.WriteString(t.ID.Name + ": ")
	if t.Title != "" {
		b.WriteString(t.Title + ". ")
	}
	b.WriteString(clip(strings.Join(strings.Fields(clip(t.Description, 4*maxPassageDescription)), " "), maxPassageDescription))
	if len(schema.params) > 0 {
		b.WriteString(" Parameters: " + strings.Join(schema.params[:min(len(schema.params), maxPassageParams)], ", "))
	}
	b.WriteString(" Server: " + t.ID.Server)
	return b.String()
}

// textKey identifies a passage.
type textKey [sha256.Size]byte

func keyOf(passage string) textKey { return sha256.Sum256([]byte(passageVersion + "\n" + passage)) }

// record returns the key under which the vector of k is stored, made by the
// model of digest.
func (k textKey) record(digest string) string {
	model := sha256.Sum256([]byte(digest))
	return hex.EncodeToString(model[:8]) + ":" + hex.EncodeToString(k[:])
}

// vectors is what the vector arm searches at one moment. It is immutable: the
// collection is built aside, because chromem's Delete races with its queries.
type vectors struct {
	collection *chromem.Collection
	of         map[textKey][]float32
	snap       *snapshot // what it was built for
	missing    int       // documents of snap without a vector
}

// errNoText is returned to chromem should it ever want to embed by itself.
var errNoText = errors.New("documents come with their vectors")

// newVectors builds the collection of those documents of s that have a vector
// in known.
func newVectors(ctx context.Context, s *snapshot, known map[textKey][]float32) (*vectors, error) {
	refuse := func(context.Context, string) ([]float32, error) { return nil, errNoText }
	collection, err := chromem.NewDB().CreateCollection("tools", nil, refuse)
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	v := &vectors{collection: collection, of: make(map[textKey][]float32, s.count), snap: s}
	n := -1
	for d := range s.all {
		n++
		vector, ok := known[d.text]
		if !ok {
			v.missing++
			continue
		}
		v.of[d.text] = vector
		if err := collection.AddDocument(ctx, chromem.Document{ID: strconv.Itoa(n), Embedding: vector}); err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
	}
	return v, nil
}

// cosine returns the similarity of query and the document, unless it has no
// vector yet.
func (v *vectors) cosine(query []float32, d *document) (float32, bool) {
	vector, ok := v.of[d.text]
	if !ok || len(vector) != len(query) {
		return 0, false
	}
	sum := float32(0)
	for i, x := range query {
		sum += x * vector[i]
	}
	return sum, true
}

// nearest returns the k documents of s nearest to query, nearest first, only
// those of server unless it is empty. Vectors of tools that s no longer has, or
// has with another text, are passed over.
func (v *vectors) nearest(ctx context.Context, s *snapshot, server string, query []float32, k int) ([]ranked, error) {
	best := topK{k: k}
	if server != "" {
		for _, d := range s.segment(server).docs {
			if n, found := s.number(d.tool.ID); found {
				v.offer(&best, d, n, query)
			}
		}
		return best.sorted(), nil
	}
	k = min(k, v.collection.Count()) // more is an error to chromem
	if k == 0 {
		return nil, nil
	}
	results, err := v.collection.QueryEmbedding(ctx, query, k, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	for _, r := range results {
		at, err := strconv.Atoi(r.ID) // the number in v.snap
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		if n, found := s.number(v.snap.document(uint32(at)).tool.ID); found {
			v.offer(&best, s.document(n), n, query)
		}
	}
	return best.sorted(), nil
}

func (v *vectors) offer(best *topK, d *document, n uint32, query []float32) {
	if cosine, ok := v.cosine(query, d); ok {
		best.offer(ranked{n, cosine})
	}
}

// lacking returns how many documents of s have no vector.
func (v *vectors) lacking(s *snapshot) int {
	if s == v.snap {
		return v.missing
	}
	n := 0
	for d := range s.all {
		if v.of[d.text] == nil {
			n++
		}
	}
	return n
}
