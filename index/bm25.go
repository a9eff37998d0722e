package index

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// weighted is one term of a document: tf is its length-normalised frequency
// summed over the fields (the tf~ of BM25F), fields the bits of where it stands.
type weighted struct {
	term   term
	tf     float32
	fields uint8
}

// document is one analysed tool. It is immutable.
type document struct {
	tool  tool.Tool
	terms []weighted // sorted
	text  textKey    // of what an embedder reads
	spoken
}

// analyse reads t once for both arms.
func (a *analyzer) analyse(t tool.Tool, w *weights) *document {
	schema := readSchema(t.InputSchema)
	sums := make(map[term]weighted)
	for f, pieces := range fieldTexts(t, schema) {
		a.addField(f, pieces, w, sums)
	}
	doc := &document{tool: t, terms: make([]weighted, 0, len(sums)), text: keyOf(passages(t, schema)),
		spoken: a.spokenOf(t.ID.Name, t.Title, t.ID.Server, t.Description, schema.params)}
	for term, s := range sums {
		s.term = term
		doc.terms = append(doc.terms, s)
	}
	slices.SortFunc(doc.terms, func(x, y weighted) int { return strings.Compare(x.term.Value(), y.term.Value()) })
	return doc
}

// find returns the document's entry of t.
func (d *document) find(t term) (weighted, bool) {
	i, found := slices.BinarySearchFunc(d.terms, t.Value(), func(w weighted, s string) int { return strings.Compare(w.term.Value(), s) })
	if !found {
		return weighted{}, false
	}
	return d.terms[i], true
}

// addField adds the terms of one field to sums.
func (a *analyzer) addField(f int, pieces []string, w *weights, sums map[term]weighted) {
	plain := make(map[term]int)
	compounds := make(map[term]bool)
	length := 0
	for _, piece := range pieces {
		prev := ""
		for _, tok := range a.tokens(piece) {
			if tok.compound {
				compounds[tok.term] = true
				continue
			}
			plain[tok.term]++
			length++
			if joined[f] && prev != "" && len(prev)+len(tok.word) <= maxWord {
				compounds[a.stem(prev+tok.word)] = true
			}
			prev = tok.word
		}
	}
	if length == 0 {
		return
	}
	norm := w.field[f] / (1 - w.b[f] + w.b[f]*float32(length)/w.pivot[f])
	add := func(t term, n float32) {
		s := sums[t]
		s.tf += norm * n
		s.fields |= 1 << f
		sums[t] = s
	}
	for t, n := range plain {
		add(t, repetition(n))
	}
	for t := range compounds {
		if plain[t] == 0 {
			add(t, w.compound)
		}
	}
}

// repetition is what n occurrences in one field count. It is bounded, so that a
// text cannot buy back with repetition what its length costs it.
func repetition(n int) float32 { return float32(min(n, maxRepetition)) }

// maxRepetition is the most occurrences in one field that count.
const maxRepetition = 4

// joined are the fields whose neighbouring words are also indexed as one word,
// because requests write "keyvault" for key_vault as often as the reverse.
var joined = [numFields]bool{fieldName: true, fieldTitle: true, fieldParam: true, fieldServer: true}

// segment holds the documents of one server. It is immutable: a server that
// changes gets a new one, the others stay.
type segment struct {
	server string
	docs   []*document         // sorted by tool name
	names  map[string][]uint32 // documents by squeezed name
	// ids are the numbers in dict of the documents' terms, one after another.
	ids  []uint32
	dict *dictionary
}

// newSegment makes the segment of docs, which have different names and belong
// to server. It has no ids yet.
func newSegment(server string, docs []*document) *segment {
	slices.SortFunc(docs, func(x, y *document) int { return cmp.Compare(x.tool.ID.Name, y.tool.ID.Name) })
	s := &segment{server: server, docs: docs, names: make(map[string][]uint32, len(docs))}
	for i, d := range docs {
		key := squeeze(d.tool.ID.Name)
		s.names[key] = append(s.names[key], uint32(i))
	}
	return s
}

// numbered returns s with ids of dict.
func (s *segment) numbered(dict *dictionary) *segment {
	if s.dict == dict {
		return s
	}
	n := *s
	n.dict, n.ids = dict, nil
	for _, d := range s.docs {
		for _, t := range d.terms {
			n.ids = append(n.ids, dict.add(t.term))
		}
	}
	return &n
}

// doc returns the document of a tool by its name.
func (s *segment) doc(name string) (*document, bool) {
	i, found := slices.BinarySearchFunc(s.docs, name, func(d *document, name string) int {
		return cmp.Compare(d.tool.ID.Name, name)
	})
	if !found {
		return nil, false
	}
	return s.docs[i], true
}

// idf is the Robertson-Sparck Jones weight in the form that is never negative
// (as in Lucene's BM25): n documents, df of them with the term.
func idf(n, df int) float32 {
	return float32(math.Log(1 + (float64(n-df)+.5)/(float64(df)+.5)))
}

// saturate turns a frequency into (0, k1+1).
func (w *weights) saturate(tf float32) float32 { return tf * (w.k1 + 1) / (tf + w.k1) }
