package scan

import (
	"slices"
	"strings"
)

// passageLength is how many sentences are weighed together. An order rarely takes
// more; in a long text words of attacks meet by chance.
const passageLength = 4

// passage is what is weighed together: what rules found in a run of sentences and
// in the definition as a whole, and the phrases of the sentences.
type passage struct {
	first int // its first sentence; the last is passageLength - 1 further on
	keys  []string
	words []int32

	foreign bool // in part at least not English
}

// passages are those of each run of sentences. Keys that excuse a rule count where
// every sentence with that rule has the excuse.
func (s *sight) passages() (list []passage) {
	var whole []string
	bySentence := map[int][]string{}
	for _, f := range s.findings {
		if f.at == 0 {
			whole = appendNew(whole, f.key)
			continue
		}
		bySentence[f.at] = appendNew(bySentence[f.at], f.key)
	}
	runs := max(1, len(s.sentences)-passageLength+1)
	var at []int
	for first := 1; first <= runs; first++ {
		last := min(first+passageLength-1, len(s.sentences))
		p := passage{first: first, words: s.names}
		at = at[:0]
		for n := first; n <= last; n++ {
			p.words = union(p.words, s.sentences[n-1].words)
			p.foreign = p.foreign || s.sentences[n-1].foreign
			if bySentence[n] != nil {
				at = append(at, n)
			}
		}
		p.keys = whole
		if len(at) > 0 {
			p.keys = together(whole, bySentence, at)
		}
		list = append(list, p)
	}
	return list
}

// union merges two sorted lists without doubles.
func union(a, b []int32) []int32 {
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] > b[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func together(whole []string, bySentence map[int][]string, sentences []int) []string {
	set := slices.Clone(whole)
	seen, excused := map[string]int{}, map[string]int{}
	for _, n := range sentences {
		rules := map[string]bool{}
		for _, key := range bySentence[n] {
			if strings.Contains(key, "~") {
				excused[key]++
				continue
			}
			set = appendNew(set, key)
			rules[ruleOf(key)] = true
		}
		for rule := range rules {
			seen[rule]++
		}
	}
	for key, n := range excused {
		if rule, _, _ := strings.Cut(key, "~"); n == seen[rule] {
			set = append(set, key)
		}
	}
	slices.Sort(set)
	return set
}

func ruleOf(key string) string {
	rule, _, _ := strings.Cut(key, "/")
	return rule
}

func appendNew(list []string, key string) []string {
	if slices.Contains(list, key) {
		return list
	}
	return append(list, key)
}

// heaviest returns the passage that weighs most, and its score.
func heaviest(list []passage, w *wording) (best passage, score float64) {
	for i, p := range list {
		if sum := p.weigh(w); i == 0 || sum > score {
			best, score = p, sum
		}
	}
	return best, score
}

// weigh is the score of p: what rules found in it, and how w finds it worded. Words
// that speak for it do not count: an attacker can write them too.
func (p passage) weigh(w *wording) float64 {
	sum := 0.0
	for _, key := range p.keys {
		sum += weights[key]
	}
	return p.total(sum, w.weigh(p.words))
}

// unread is what rules count for where the text is in a language that the words are
// not learned in.
const unread = 1.5

// total puts the scores of the two readers together.
func (p passage) total(byRules, byWords float64) float64 {
	if p.foreign {
		byRules *= unread
	}
	return byRules + max(byWords, 0)
}
