package index

import (
	"slices"
	"sync"
)

// dictionary numbers terms. It only grows; add is for one goroutine at a time,
// lookup for any. A snapshot keeps the dictionary that it was built with.
type dictionary struct {
	ids   sync.Map // term -> uint32
	count int
}

func (d *dictionary) add(t term) uint32 {
	if id, found := d.lookup(t); found {
		return id
	}
	id := uint32(d.count)
	d.ids.Store(t, id)
	d.count++
	return id
}

func (d *dictionary) lookup(t term) (uint32, bool) {
	id, found := d.ids.Load(t)
	if !found {
		return 0, false
	}
	return id.(uint32), true
}

// posting is one document of a term, with the saturated frequency.
type posting struct {
	doc   uint32
	value float32
}

// postings are the documents of every term, by the number of the document.
type postings struct {
	dict  *dictionary
	ends  []uint32 // where the list of each term ends; it begins where the one before ends
	list  []posting
	terms int // that have a document
}

// newPostings sorts the terms of all segments, which are numbered by dict, by
// counting: it costs nanoseconds for each term of a document, so that every
// change of a server can afford a whole new one.
func newPostings(segments []*segment, dict *dictionary, w *weights) postings {
	p := postings{dict: dict, ends: make([]uint32, dict.count)}
	total := 0
	for _, seg := range segments {
		for _, id := range seg.ids {
			p.ends[id]++
		}
		total += len(seg.ids)
	}
	next := uint32(0)
	for id, n := range p.ends {
		if n > 0 {
			p.terms++
		}
		p.ends[id] = next // where it begins, until it is filled
		next += n
	}
	p.list = make([]posting, total)
	doc := uint32(0)
	for _, seg := range segments {
		ids := seg.ids
		for _, d := range seg.docs {
			for i, t := range d.terms {
				at := &p.ends[ids[i]]
				p.list[*at] = posting{doc: doc, value: w.saturate(t.tf)}
				*at++
			}
			ids = ids[len(d.terms):]
			doc++
		}
	}
	return p
}

// find returns the postings of t, by document.
func (p *postings) find(t term) []posting {
	id, found := p.dict.lookup(t)
	if !found || int(id) >= len(p.ends) {
		return nil
	}
	from := uint32(0)
	if id > 0 {
		from = p.ends[id-1]
	}
	return p.list[from:p.ends[id]]
}

// within returns the part of list whose documents lie in from <= doc < to.
func within(list []posting, from, to uint32) []posting {
	byDoc := func(p posting, doc uint32) int { return int(int64(p.doc) - int64(doc)) }
	lo, _ := slices.BinarySearchFunc(list, from, byDoc)
	hi, _ := slices.BinarySearchFunc(list, to, byDoc)
	return list[lo:hi]
}
