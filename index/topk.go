package index

import (
	"cmp"
	"slices"
)

// ranked is a document with its score in one ranking.
type ranked struct {
	doc   uint32
	score float32
}

// before orders rankings: higher scores first, equal ones by id, so that equal
// catalogues answer equally.
func before(x, y ranked) int {
	if c := cmp.Compare(y.score, x.score); c != 0 {
		return c
	}
	return cmp.Compare(x.doc, y.doc)
}

// topK keeps the k best of what it is offered, in a heap with the worst on top.
type topK struct {
	k    int
	heap []ranked
}

func (t *topK) offer(r ranked) {
	if len(t.heap) < t.k {
		t.heap = append(t.heap, r)
		t.up(len(t.heap) - 1)
		return
	}
	if t.k > 0 && before(r, t.heap[0]) < 0 {
		t.heap[0] = r
		t.down(0)
	}
}

func (t *topK) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if before(t.heap[i], t.heap[parent]) < 0 {
			return
		}
		t.heap[i], t.heap[parent] = t.heap[parent], t.heap[i]
		i = parent
	}
}

func (t *topK) down(i int) {
	for {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.heap); child++ {
			if before(t.heap[child], t.heap[worst]) > 0 {
				worst = child
			}
		}
		if worst == i {
			return
		}
		t.heap[i], t.heap[worst] = t.heap[worst], t.heap[i]
		i = worst
	}
}

// sorted returns what was kept, best first. The topK is used up.
func (t *topK) sorted() []ranked {
	slices.SortFunc(t.heap, before)
	return t.heap
}

// top returns the k documents of the highest positive sums, best first.
func (s *scores) top(k int) []ranked {
	t := topK{k: k, heap: make([]ranked, 0, min(k, len(s.sum)))}
	for i, score := range s.sum {
		if score > 0 {
			t.offer(ranked{uint32(i), score})
		}
	}
	return t.sorted()
}
