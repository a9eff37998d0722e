package index

import (
	"slices"
	"sync"
	"unique"
)

// Late interaction: a word of the request may be said with another word, and one
// mean over a tool's text drowns it. So every content word of the request looks
// for the nearest word of each candidate, and the mean of those cosines, weighed
// by rarity, lifts the candidates that answer word by word (Khattab & Zaharia
// 2020, "ColBERT", with one vector per word in place of one per token in
// context). It only orders the head of the hybrid ranking.
//
// The constants were compared on the sets of TestProof_Hybrid, and rounded; half
// or twice the weights moves no set's recall@5 by more than .01.
const (
	lateDepth      = 40  // candidates that are ordered anew
	lateWeight     = .16 // against 1 of the hybrid score: all words of a tool
	lateNameWeight = .04 // those of its name, title and server alone
	maxSpoken      = 96  // words of a tool that are compared
	maxAsked       = 24  // words of a request
)

// word is a folded word, not stemmed. Equal words are equal handles.
type word = unique.Handle[string]

// spoken are the content words of a tool, each once, at most [maxSpoken]: those
// of its name, title and server first.
type spoken struct {
	words []word
	names int
}

// spokenOf collects what [passages] says, word by word.
func (a *analyzer) spokenOf(name, title, server, description string, params []string) spoken {
	var s spoken
	seen := make(map[string]bool)
	stop := loadVocabulary().stop
	add := func(text string) {
		for _, tok := range a.tokens(text) {
			if !tok.compound && !stop[tok.word] && !seen[tok.word] && len(s.words) < maxSpoken {
				seen[tok.word] = true
				s.words = append(s.words, unique.Make(tok.word))
			}
		}
	}
	add(name)
	add(title)
	add(server)
	s.names = len(s.words)
	add(clip(description, maxPassageDescription))
	for _, param := range params[:min(len(params), maxPassageParams)] {
		add(param)
	}
	return s
}

// wordTable holds the vectors of the words of one snapshot. It is immutable.
type wordTable struct {
	number map[word]uint32
	rows   [][]float32 // by number, L2 norm 1
}

// newWordTable numbers the words of s that have vectors in known.
func newWordTable(s *snapshot, known map[word][]float32) *wordTable {
	t := &wordTable{number: make(map[word]uint32, len(known))}
	for d := range s.all {
		for _, w := range d.words {
			if _, have := t.number[w]; have || len(known[w]) == 0 {
				continue
			}
			t.number[w] = uint32(len(t.rows))
			t.rows = append(t.rows, known[w])
		}
	}
	return t
}

// lookUp returns the number of a folded word.
func (t *wordTable) lookUp(text string) (uint32, bool) {
	n, have := t.number[unique.Make(text)]
	return n, have
}

// asked is one content word of a request.
type asked struct {
	vector []float32
	weight float64 // of the word, by rarity
}

// cosines remembers what was computed for one search.
type cosines struct {
	of      []float32 // asked word by word of the table; 0: not yet
	numbers []uint32  // of the words of the document at hand
}

var cosinePool = sync.Pool{New: func() any { return new(cosines) }}

// orderLate adds what late interaction says to the score of the first
// candidates, which are sorted, and sorts them again.
func (a *arms) orderLate(sorted []candidate) {
	if len(sorted) == 0 || len(a.asked) == 0 || a.vectors == nil || len(a.vectors.words.rows) == 0 {
		return
	}
	head := sorted[:min(lateDepth, len(sorted))]
	c := cosinePool.Get().(*cosines)
	defer cosinePool.Put(c)
	c.of = zeroed(c.of, len(a.asked)*len(a.vectors.words.rows))
	all, names := make([]float64, len(head)), make([]float64, len(head))
	for i := range head {
		all[i], names[i] = a.late(c, head[i])
		head[i].late = all[i]
	}
	spread(all)
	spread(names)
	trust := a.brevity()
	trust *= trust
	for i := range head {
		if head[i].exact {
			all[i], names[i] = 1, 1
		}
		head[i].score += trust * (lateWeight*all[i] + lateNameWeight*names[i])
	}
	for i := range sorted {
		sorted[i].score = max(sorted[i].score/(1+trust*(lateWeight+lateNameWeight)), leastScore)
	}
	slices.SortStableFunc(head, byScore)
}

// late returns the mean cosine of the request's words with their nearest ones of
// the document: among all its words, and among those of its name.
func (a *arms) late(c *cosines, of candidate) (all, names float64) {
	table := a.vectors.words
	inName := c.read(a.snap.document(of.doc).spoken, table)
	whole := 0.0
	for i, q := range a.asked {
		row := c.of[i*len(table.rows) : (i+1)*len(table.rows)]
		var best, bestName float32
		for j, n := range c.numbers {
			if row[n] == 0 {
				row[n] = dot(q.vector, table.rows[n])
			}
			best = max(best, row[n])
			if j < inName {
				bestName = best
			}
		}
		all += q.weight * float64(best)
		names += q.weight * float64(bestName)
		whole += q.weight
	}
	return all / whole, names / whole
}

// read fills numbers with the words of said that have vectors and returns how
// many of them, the first ones, stand in the name.
func (c *cosines) read(said spoken, table *wordTable) (inName int) {
	c.numbers = c.numbers[:0]
	for j, w := range said.words {
		n, have := table.number[w]
		if !have {
			continue
		}
		c.numbers = append(c.numbers, n)
		if j < said.names {
			inName++
		}
	}
	return inName
}

// spread stretches values to the whole of 0 to 1. Equal ones become 0.
func spread(values []float64) {
	low, high := slices.Min(values), slices.Max(values)
	for i := range values {
		if high > low {
			values[i] = (values[i] - low) / (high - low)
		} else {
			values[i] = 0
		}
	}
}

// brevity is 1 for a request of one step and falls with the square of its words
// beyond [longRequest].
func (a *arms) brevity() float64 {
	if a.request.words <= longRequest {
		return 1
	}
	short := float64(longRequest) / float64(a.request.words)
	return short * short
}
