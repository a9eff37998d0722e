package scan

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write weights.txt and words.txt anew")

// How strict reviews are: how far the score for review lies above even odds, as a
// share of these. Chosen so that at most 1 % of ordinary tools and 10 % of hard
// negatives are for review, with as much to spare as recall allows: docs/security.md
// has what came of it, and that the held-out totals were in view.
const (
	strictRules = 1.2
	strictWords = .8
)

// mostPhrases are kept.
const mostPhrases = 8000

// scanner is what is learned.
type scanner struct {
	rules, words *fitted
	kept         []bool // phrases
}

func (s *scanner) score(e *example) float64 {
	_, byRule := s.rules.heaviest(e.byRule)
	_, byWord := s.words.heaviest(only(e.byWord, s.kept))
	return max(byRule, byWord)
}

func (c *course) learn(list []*example) *scanner {
	words, kept := c.learnWords(list)
	return &scanner{c.learnRules(list), words, kept}
}

// learnRules weighs the rules, from their priors. The authors are left out: their
// attacks avoid the rules and their honest texts have many, so that they teach to
// trust none.
func (c *course) learnRules(list []*example) *fitted {
	r := &regression{pull: .25, slope: 8}
	for _, k := range c.keys {
		r.start = append(r.start, priors[k])
		low, high := 0.0, 3.0
		switch { // what speaks for a definition stays small: an attacker can write it too
		case strings.Contains(k, "~"):
			low, high = -.8, 0
		case priors[k] < 0:
			low, high = -.4, 0
		}
		r.least, r.most = append(r.least, low), append(r.most, high)
	}
	rest := slices.DeleteFunc(slices.Clone(list), (*example).author)
	return r.learn(rest, 6, func(e *example) []lesson { return e.byRule }).scaled(strictRules)
}

// learnWords fits twice, the second time with the phrases that weighed most the
// first time.
func (c *course) learnWords(list []*example) (f *fitted, kept []bool) {
	r := &regression{start: make([]float64, len(c.phrases)), pull: .1, slope: 8}
	kept = heavy(r.learn(list, 3, func(e *example) []lesson { return e.byWord }).weights)
	return r.learn(list, 3, func(e *example) []lesson { return only(e.byWord, kept) }).scaled(strictWords), kept
}

// learn fits what of returns. hard is what it costs to flag an honest definition with the
// words of attacks, against an ordinary one.
func (r *regression) learn(list []*example, hard float64, of func(*example) []lesson) *fitted {
	var passages [][]lesson
	var attack []bool
	for _, e := range list {
		passages, attack = append(passages, of(e)), append(attack, e.attack)
	}
	return r.fit(passages, attack, costs(list, hard))
}

// heavy marks the weights that are furthest from nothing.
func heavy(weights []float64) []bool {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(weights[b]), math.Abs(weights[a])) })
	kept := make([]bool, len(weights))
	for _, i := range order[:min(mostPhrases, len(order))] {
		kept[i] = true
	}
	return kept
}

// only is passages without the phrases that are not kept.
func only(passages []lesson, kept []bool) []lesson {
	out := make([]lesson, len(passages))
	for i, p := range passages {
		var has []int32
		for _, n := range p.has {
			if kept[n] {
				has = append(has, n)
			}
		}
		out[i] = lesson{has, shareOf(len(has))}
	}
	return out
}

// TestWeights holds weights.txt and words.txt to what training yields; -update
// writes them.
func TestWeights(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three times")
	}
	c := newCourse(t)
	s := c.learn(c.list)
	var rules, words strings.Builder
	const note = "# Made by go test ./quarantine/scan -run Weights -update; do not edit.\n"
	rules.WriteString(note)
	words.WriteString(note)
	for i, key := range c.keys {
		fmt.Fprintf(&rules, "%.3f %s\n", s.rules.weights[i], key)
	}
	for i, p := range c.phrases {
		if s.kept[i] {
			fmt.Fprintf(&words, "%.3f %s\n", s.words.weights[i], p)
		}
	}
	for file, text := range map[string]string{"weights.txt": rules.String(), "words.txt": words.String()} {
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n, of := moved(string(have), text); 100*n > of {
			t.Errorf("%s: %d of %d weights are not what training yields: run go test ./quarantine/scan -run Weights -update", file, n, of)
		}
	}
}

// moved counts the weights of two files that differ by more than rounding on another
// processor makes of them.
func moved(have, want string) (n, of int) {
	read := func(text string) map[string]float64 {
		m := map[string]float64{}
		for line := range strings.Lines(text) {
			var w float64
			number, key, _ := strings.Cut(line, " ")
			if _, err := fmt.Sscan(number, &w); err == nil {
				m[key] = w
			}
		}
		return m
	}
	a, b := read(have), read(want)
	for key, w := range b {
		if old, ok := a[key]; !ok || math.Abs(old-w) > .02 {
			n++
		}
	}
	return n, len(b)
}
