package index

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/philippgille/chromem-go"

	"mcpproxy/internal/tool"
)

// passageVersion changes whenever passage does: vectors of an older text are
// made again.
const passageVersion = "2"

// Caps of the text that an embedder reads; sentence models read 128 to 256
// word pieces.
const (
	maxPassageDescription = 600 // bytes
	maxPassageSentence    = 160
	maxPassageParams      = 24
)

// passagesPerTool is how many vectors stand for one tool.
const passagesPerTool = 2

// passages are the texts of t for an embedder: all that it says, in the form
// that the bundled model is trained on, and its first sentence with its name. A
// mean over a long text drowns what the first sentence says.
func passages(t tool.Tool, schema schemaText) [passagesPerTool]string {
	description := strings.Join(strings.Fields(clip(t.Description, 4*maxPassageDescription)), " ")
	var b strings.Builder
	for _, head := range []string{t.ID.Server, t.ID.Name, t.Title} {
		if head != "" {
			b.WriteString(head + ". ")
		}
	}
	b.WriteString(clip(description, maxPassageDescription))
	for _, param := range schema.params[:min(len(schema.params), maxPassageParams)] {
		b.WriteString(" " + param)
	}
	first, _, _ := strings.Cut(description, ". ")
	return [passagesPerTool]string{b.String(), clip(first, maxPassageSentence) + " " + t.ID.Name}
}

// textKey identifies the passages of a tool.
type textKey [sha256.Size]byte

func keyOf(passages [passagesPerTool]string) textKey {
	return sha256.Sum256([]byte(passageVersion + "\n" + strings.Join(passages[:], "\x00")))
}

// record returns the key under which the vectors of k are stored, made by the
// model of digest.
func (k textKey) record(digest string) string {
	return modelPrefix(digest) + hex.EncodeToString(k[:])
}

// modelPrefix begins the keys of all vectors of one model.
func modelPrefix(digest string) string {
	model := sha256.Sum256([]byte(digest))
	return hex.EncodeToString(model[:8]) + ":"
}

// chromemTools is how many tools chromem searches. Its scan takes several times
// as long as the plain one: fractions of a millisecond for so few, most of a
// search for thousands.
const chromemTools = 500

// vectors is what the vector arm searches at one moment. It is immutable: the
// collection is built aside, because chromem's Delete races with its queries.
type vectors struct {
	collection *chromem.Collection
	of         map[textKey][]float32 // the tool's vectors, one after another
	rows       [][]float32           // the same by the numbers of snap, nil where missing
	words      *wordTable            // of late interaction; empty without any
	snap       *snapshot             // what it was built for
	missing    int                   // documents of snap without vectors
}

// errNoText is returned to chromem should it ever want to embed by itself.
var errNoText = errors.New("documents come with their vectors")

// newVectors builds the collection of those documents of s that have vectors in
// known, and the table of their words.
func newVectors(ctx context.Context, s *snapshot, known map[textKey][]float32, words map[word][]float32) (*vectors, error) {
	refuse := func(context.Context, string) ([]float32, error) { return nil, errNoText }
	collection, err := chromem.NewDB().CreateCollection("tools", nil, refuse)
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	v := &vectors{collection: collection, of: make(map[textKey][]float32, s.count), rows: make([][]float32, s.count),
		words: newWordTable(s, words), snap: s}
	n := -1
	for d := range s.all {
		n++
		both, ok := known[d.text]
		if !ok {
			v.missing++
			continue
		}
		v.of[d.text], v.rows[n] = both, both
		for i, one := range halves(both) {
			id := strconv.Itoa(passagesPerTool*n + i)
			if err := collection.AddDocument(ctx, chromem.Document{ID: id, Embedding: one}); err != nil {
				return nil, fmt.Errorf("vectors: %w", err)
			}
		}
	}
	return v, nil
}

// halves parts the vectors of one tool.
func halves(both []float32) [passagesPerTool][]float32 {
	dim := len(both) / passagesPerTool
	return [passagesPerTool][]float32{both[:dim:dim], both[dim:]}
}

// similarity is the higher cosine of query with one of the tool's vectors.
func similarity(query, both []float32) float32 {
	return max(dot(query, both[:len(query)]), dot(query, both[len(query):]))
}

// dot is unrolled: a search spends most of its time here.
func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	i := 0
	for ; i+8 <= len(x); i += 8 {
		p, q := x[i:i+8:i+8], y[i:i+8:i+8]
		a += p[0]*q[0] + p[4]*q[4]
		b += p[1]*q[1] + p[5]*q[5]
		c += p[2]*q[2] + p[6]*q[6]
		d += p[3]*q[3] + p[7]*q[7]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

// cosine returns the similarity of query and the document, unless it has no
// vectors yet.
func (v *vectors) cosine(query []float32, d *document) (float32, bool) {
	both, ok := v.of[d.text]
	if !ok || len(both) != passagesPerTool*len(query) {
		return 0, false
	}
	return similarity(query, both), true
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
	near, err := v.near(ctx, query, k)
	if err != nil {
		return nil, err
	}
	for _, at := range near {
		if n, found := s.number(v.snap.document(at).tool.ID); found {
			v.offer(&best, s.document(n), n, query)
		}
	}
	return best.sorted(), nil
}

// near returns the numbers in v.snap of the k documents nearest to query, each
// once, in no order.
func (v *vectors) near(ctx context.Context, query []float32, k int) ([]uint32, error) {
	var near []uint32
	if len(v.rows) > chromemTools {
		best := topK{k: k}
		for n, both := range v.rows {
			if both != nil {
				best.offer(ranked{uint32(n), similarity(query, both)})
			}
		}
		for _, r := range best.heap {
			near = append(near, r.doc)
		}
		return near, nil
	}
	results := min(passagesPerTool*k, v.collection.Count()) // more is an error to chromem
	if results == 0 {
		return nil, nil
	}
	found, err := v.collection.QueryEmbedding(ctx, query, results, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	for _, r := range found {
		at, err := strconv.Atoi(r.ID)
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		if n := uint32(at / passagesPerTool); !slices.Contains(near, n) {
			near = append(near, n)
		}
	}
	return near, nil
}

func (v *vectors) offer(best *topK, d *document, n uint32, query []float32) {
	if cosine, ok := v.cosine(query, d); ok {
		best.offer(ranked{n, cosine})
	}
}

// lacking returns how many documents of s have no vectors.
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
