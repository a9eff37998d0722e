package index

import (
	"cmp"
	"slices"
	"strings"
)

// The weight of the vector arm against 1 of the lexical arm: it leads where the
// words of the request do not decide. The values were compared on the sets of
// TestProof_Hybrid, and rounded; nothing was fitted to them.
const (
	weightUnsure = 3.0 // the first two lexical hits are level
	weightSure   = 1.0 // the second is sureGap below the first, or lower
	sureGap      = .4

	// The weight is multiplied by strange where the first lexical hit has at most
	// fewWords of the request's words, weighed by rarity, by familiar at mostWords.
	strange   = 1.5
	familiar  = .5
	fewWords  = .4
	mostWords = .9

	// One mean over a long request with several steps says little: beyond this
	// many words the weight falls with the square of their number.
	longRequest = 12
)

// cosineFloor is a cosine that says nothing: unrelated tools lie about there.
const cosineFloor = -.25

// pool is how many candidates each arm names for a hybrid answer at least.
const pool = 100

// leastScore keeps a hit's score above 0.
const leastScore = 1e-6

// arms is what both arms found for one query.
type arms struct {
	snap    *snapshot
	request request
	sums    []float32 // BM25F by document
	lexical []ranked
	// query is the vector of the query, nil without a vector arm.
	query   []float32
	vectors *vectors
	nearest []ranked
	asked   []asked // nil without vectors of words
	note    string
}

// candidate is one document in both rankings.
type candidate struct {
	doc       uint32
	score     float64
	bm25      float32
	cosine    float32
	hasVector bool
	exact     bool
	late      float64 // see [arms.orderLate]
}

// fuse returns the best limit candidates. Each arm's score is taken as a share of
// the highest of the answer; a document that has no vector yet gets its lexical
// score for both, so that waiting costs it nothing. A tool that the query names
// outranks every other.
func (a *arms) fuse(mode Mode, server string, limit int) []candidate {
	exact := a.snap.named(a.request.exact, server)
	candidates := a.candidates(exact)
	var topBM25, topCosine float32
	for _, c := range candidates {
		topBM25 = max(topBM25, c.bm25)
		topCosine = max(topCosine, c.cosine)
	}
	weight := a.vectorWeight()
	for i := range candidates {
		c := &candidates[i]
		lexical := ratio(c.bm25, topBM25)
		vector := ratio(c.cosine-cosineFloor, topCosine-cosineFloor)
		if !c.hasVector {
			vector = lexical
		}
		switch {
		case a.query == nil:
			c.score = lexical
		case mode == Vector:
			c.score = ratio(c.cosine, topCosine)
		default:
			c.score = (lexical + weight*vector) / (1 + weight)
		}
		if len(exact) > 0 {
			c.score /= 2
		}
		if c.exact {
			c.score += .5
		}
		c.score = min(max(c.score, leastScore), 1)
	}
	if mode == Vector && a.query != nil {
		candidates = slices.DeleteFunc(candidates, func(c candidate) bool { return c.cosine <= 0 && !c.exact })
	}
	slices.SortFunc(candidates, byScore)
	if mode == Hybrid {
		a.orderLate(candidates)
	}
	return candidates[:min(limit, len(candidates))]
}

// byScore orders candidates best first, equal ones by id.
func byScore(x, y candidate) int {
	if c := cmp.Compare(y.score, x.score); c != 0 {
		return c
	}
	return cmp.Compare(x.doc, y.doc)
}

// vectorWeight returns the weight of the vector arm for this request.
func (a *arms) vectorWeight() float64 {
	gap, covered := 0.0, 0.0
	if len(a.lexical) > 0 {
		gap, covered = 1, a.coverage(a.lexical[0].doc)
	}
	if len(a.lexical) > 1 {
		gap -= ratio(a.lexical[1].score, a.lexical[0].score)
	}
	weight := between(weightUnsure, weightSure, gap/sureGap)
	weight *= between(strange, familiar, (covered-fewWords)/(mostWords-fewWords))
	return weight * a.brevity()
}

// between goes from x at 0 to y at 1.
func between(x, y, at float64) float64 { return x + (y-x)*min(max(at, 0), 1) }

// coverage is the share of the request's words, weighed by rarity, that a
// document has itself. A word that no tool has counts as the rarest.
func (a *arms) coverage(n uint32) float64 {
	doc := a.snap.document(n)
	var has, whole float32
	for _, g := range a.request.groups {
		if g.compound || g.function {
			continue
		}
		rarity := idf(a.snap.count, len(g.variants[0].postings))
		whole += rarity
		if _, found := doc.find(g.variants[0].term); found {
			has += rarity
		}
	}
	return ratio(has, whole)
}

func ratio(part, whole float32) float64 {
	if part <= 0 || whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// candidates joins the arms' documents and the named ones, each once.
func (a *arms) candidates(exact []uint32) []candidate {
	all := make([]candidate, 0, len(a.lexical)+len(a.nearest)+len(exact))
	seen := make(map[uint32]bool, cap(all))
	add := func(doc uint32) {
		if seen[doc] {
			return
		}
		seen[doc] = true
		c := candidate{doc: doc, bm25: a.sums[doc], exact: slices.Contains(exact, doc)}
		if a.query != nil {
			c.cosine, c.hasVector = a.vectors.cosine(a.query, a.snap.document(doc))
		}
		all = append(all, c)
	}
	for _, r := range a.lexical {
		add(r.doc)
	}
	for _, r := range a.nearest {
		add(r.doc)
	}
	for _, doc := range exact {
		add(doc)
	}
	return all
}

// named returns the documents whose squeezed name, or server:name, is one of
// names, sorted.
func (s *snapshot) named(names []string, server string) []uint32 {
	var docs []uint32
	for _, name := range names {
		wantServer, toolName, qualified := strings.Cut(name, ":")
		if !qualified {
			toolName = name
		}
		for i, seg := range s.segments {
			found := seg.names[toolName]
			if len(found) == 0 || server != "" && seg.server != server || qualified && squeeze(seg.server) != wantServer {
				continue
			}
			for _, doc := range found {
				docs = append(docs, s.base[i]+doc)
			}
		}
	}
	slices.Sort(docs)
	return slices.Compact(docs)
}

// hits turns candidates into hits.
func (a *arms) hits(candidates []candidate, explain bool) []Hit {
	hits := make([]Hit, len(candidates))
	for i, c := range candidates {
		hits[i] = Hit{Tool: a.snap.document(c.doc).tool, Score: c.score}
		if explain {
			hits[i].Explain = Explain{
				BM25:   Arm{Rank: rank(a.lexical, c.doc), Score: float64(c.bm25)},
				Vector: Arm{Rank: rank(a.nearest, c.doc), Score: float64(c.cosine)},
				Words:  c.late,
				Terms:  a.matches(c.doc),
				Note:   a.note,
				Fit:    a.fit(c),
			}
		}
	}
	return hits
}

func rank(list []ranked, doc uint32) int {
	return 1 + slices.IndexFunc(list, func(r ranked) bool { return r.doc == doc })
}

// matches says which words of the query the document has, heaviest first.
func (a *arms) matches(n uint32) []Match {
	doc := a.snap.document(n)
	var matches []Match
	for _, g := range a.request.groups {
		var best Match
		for _, v := range g.variants {
			if v.factor == 0 {
				continue
			}
			t, found := doc.find(v.term)
			if score := float64(v.factor * a.snap.weights.saturate(t.tf)); found && score > best.Score {
				best = Match{Term: v.term.Value(), Fields: fieldList(t.fields), Score: score}
			}
		}
		if best.Score > 0 {
			matches = append(matches, best)
		}
	}
	slices.SortStableFunc(matches, func(x, y Match) int { return cmp.Compare(y.Score, x.Score) })
	return matches
}

func fieldList(bits uint8) []string {
	var names []string
	for f, name := range fieldNames {
		if bits&(1<<f) != 0 {
			names = append(names, name)
		}
	}
	return names
}
