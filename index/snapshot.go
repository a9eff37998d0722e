package index

import (
	"cmp"
	"slices"
	"sync"

	"mcpproxy/internal/tool"
)

// snapshot is everything that the lexical arm searches at one moment. It is
// immutable and shares its segments with the snapshots before and after it.
// Documents are numbered through all segments, in the order of their ids.
type snapshot struct {
	segments []*segment // sorted by server, none empty
	base     []uint32   // number of each segment's first document
	count    int        // documents
	postings postings
	weights  *weights
}

// spareTerms is how many terms that no document has any more a dictionary may
// hold besides as many as are in use, before a new one is begun.
const spareTerms = 20000

// newSnapshot builds the snapshot of segments with the terms numbered by dict.
func newSnapshot(segments []*segment, dict *dictionary, w *weights) *snapshot {
	s := &snapshot{segments: make([]*segment, len(segments)), base: make([]uint32, len(segments)), weights: w}
	for i, seg := range segments {
		s.segments[i] = seg.numbered(dict)
		s.base[i] = uint32(s.count)
		s.count += len(seg.docs)
	}
	s.postings = newPostings(s.segments, dict, w)
	if dict.count > 2*s.postings.terms+spareTerms {
		return newSnapshot(segments, new(dictionary), w)
	}
	return s
}

// with returns s with seg in the place of the segment of server. An empty seg
// takes it away. Only one goroutine at a time may call it on snapshots of one
// line of descent.
func (s *snapshot) with(server string, seg *segment) *snapshot {
	i, found := s.at(server)
	segments := slices.Clone(s.segments)
	switch {
	case found && len(seg.docs) > 0:
		segments[i] = seg
	case found:
		segments = slices.Delete(segments, i, i+1)
	case len(seg.docs) > 0:
		segments = slices.Insert(segments, i, seg)
	}
	return newSnapshot(segments, s.postings.dict, s.weights)
}

func (s *snapshot) at(server string) (int, bool) {
	return slices.BinarySearchFunc(s.segments, server, func(seg *segment, server string) int {
		return cmp.Compare(seg.server, server)
	})
}

// segment returns the segment of server, empty if there is none.
func (s *snapshot) segment(server string) *segment {
	if i, found := s.at(server); found {
		return s.segments[i]
	}
	return &segment{server: server}
}

// doc returns the document of id.
func (s *snapshot) doc(id tool.ID) (*document, bool) { return s.segment(id.Server).doc(id.Name) }

// number returns the number of the document of id.
func (s *snapshot) number(id tool.ID) (uint32, bool) {
	i, found := s.at(id.Server)
	if !found {
		return 0, false
	}
	j, found := slices.BinarySearchFunc(s.segments[i].docs, id.Name, func(d *document, name string) int {
		return cmp.Compare(d.tool.ID.Name, name)
	})
	return s.base[i] + uint32(j), found
}

// locate returns the segment of a document number and its number there.
func (s *snapshot) locate(n uint32) (*segment, uint32) {
	i, found := slices.BinarySearch(s.base, n)
	if !found {
		i--
	}
	return s.segments[i], n - s.base[i]
}

func (s *snapshot) document(n uint32) *document {
	seg, local := s.locate(n)
	return seg.docs[local]
}

// all yields every document in the order of their numbers.
func (s *snapshot) all(yield func(*document) bool) {
	for _, seg := range s.segments {
		for _, d := range seg.docs {
			if !yield(d) {
				return
			}
		}
	}
}

// scores are the dense arrays of one search, one element for each document.
type scores struct {
	sum     []float32
	best    []float32 // of the group at hand
	covered []float32 // weight of the groups that the document answers
	touched []uint32  // documents with best > 0
}

var scorePool = sync.Pool{New: func() any { return new(scores) }}

// borrowScores returns zeroed scores for n documents; give them back with
// scorePool.Put.
func borrowScores(n int) *scores {
	s := scorePool.Get().(*scores)
	s.sum, s.best, s.covered = zeroed(s.sum, n), zeroed(s.best, n), zeroed(s.covered, n)
	s.touched = s.touched[:0]
	return s
}

func zeroed(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

// weigh fills the factors of r: what a saturated frequency of each variant is
// worth. A synonym is worth no more than the word that was asked for, if any
// tool has that.
func (s *snapshot) weigh(r *request) {
	for i := range r.groups {
		g := &r.groups[i]
		for j := range g.variants {
			v := &g.variants[j]
			v.postings = s.postings.find(v.term)
			if len(v.postings) == 0 {
				continue
			}
			rarity := idf(s.count, len(v.postings))
			if j == 0 {
				g.idf = rarity
			} else if g.idf > 0 {
				rarity = min(rarity, g.idf)
			}
			v.factor = g.weight * v.weight * rarity
		}
	}
}

// score fills out.sum with the BM25F score of every document, only those of
// server unless it is empty, for a request that was weighed.
func (s *snapshot) score(r request, server string, out *scores) {
	from, to := uint32(0), uint32(s.count)
	if server != "" {
		i, found := s.at(server)
		if !found {
			return
		}
		from, to = s.base[i], s.base[i]+uint32(len(s.segments[i].docs))
	}
	whole := float32(0)
	for _, g := range r.groups {
		for _, v := range g.variants {
			list := v.postings
			if server != "" {
				list = within(list, from, to)
			}
			out.raise(list, v.factor)
		}
		part := g.weight * g.idf
		if g.compound {
			part = 0 // its words count already
		}
		whole += part
		out.settle(part)
	}
	if whole == 0 {
		return
	}
	for i, c := range out.covered {
		if c > 0 {
			out.sum[i] *= 1 + s.weights.coverage*c/whole
		}
	}
}

// raise lifts best to what a variant gives.
func (s *scores) raise(list []posting, factor float32) {
	for _, p := range list {
		value := factor * p.value
		switch best := s.best[p.doc]; {
		case best == 0:
			s.touched = append(s.touched, p.doc)
			s.best[p.doc] = value
		case best < value:
			s.best[p.doc] = value
		}
	}
}

// settle adds the best of the group at hand to the sums.
func (s *scores) settle(part float32) {
	for _, n := range s.touched {
		s.sum[n] += s.best[n]
		s.covered[n] += part
		s.best[n] = 0
	}
	s.touched = s.touched[:0]
}
