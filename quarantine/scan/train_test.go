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

// How strict reviews are: how many times even odds rules or words have to weigh when
// the other reader sees nothing. Chosen, with the held-out totals in view, so that at
// most 1 % of ordinary tools and 10 % of hard negatives are for review on both parts:
// docs/security.md has what came of it.
const (
	strictRules = 3.1
	strictWords = 2.8
)

// mostPhrases are kept.
const mostPhrases = 16000

// scanner is what is learned.
type scanner struct {
	rules, words *fitted
	kept         []bool // phrases
}

func (s *scanner) score(e *example) float64 {
	score := 0.0
	for i, p := range only(e.byWord, s.kept) {
		score = max(score, e.passages[i].total(s.rules.weigh(e.byRule[i]), s.words.weigh(p)))
	}
	return score
}

func (c *course) learn(list []*example) *scanner {
	words, kept := c.learnWords(list)
	return &scanner{c.learnRules(list), words, kept}
}

// learnRules weighs the rules, from their priors. The authors are left out: their
// attacks avoid the rules and their honest texts have many, so that they teach to
// trust none.
func (c *course) learnRules(list []*example) *fitted {
	r := &regression{pull: .05, slope: 8, share: func(int) float64 { return 1 }}
	for _, k := range c.keys {
		r.start = append(r.start, priors[k])
		low, high := 0.0, 3.0
		switch { // what speaks for a definition stays small: an attacker can write it too
		case strings.Contains(k, "~"):
			low, high = -.8, 0
		case priors[k] < 0:
			low, high = -.4, 0
		case strings.HasPrefix(k, "encoded"): // a person should see what it decodes to
			low = .05
		}
		r.least, r.most = append(r.least, low), append(r.most, high)
	}
	rest := slices.DeleteFunc(slices.Clone(list), (*example).author)
	return r.learn(rest, func(e *example) []lesson { return e.byRule }).scaled(strictRules)
}

// learnWords fits twice, the second time with the phrases that weighed most the
// first time.
func (c *course) learnWords(list []*example) (f *fitted, kept []bool) {
	r := &regression{start: c.leanings(list), pull: .1, slope: 8, halves: true, share: shareOf}
	kept = heavy(r.learn(list, func(e *example) []lesson { return e.byWord }).weights)
	return r.learn(list, func(e *example) []lesson { return only(e.byWord, kept) }).scaled(strictWords), kept
}

// leanings are where weights of phrases begin: how much likelier they are in attacks
// than elsewhere, as a logarithm (Wang and Manning 2012).
func (c *course) leanings(list []*example) []float64 {
	const weight, smoothing = .1, .2
	in := map[bool][]float64{true: make([]float64, len(c.phrases)), false: make([]float64, len(c.phrases))}
	sum := map[bool]float64{}
	cost := costs(list)
	for i, e := range list {
		var all lesson
		for _, p := range e.byWord {
			all = append(all, p...)
		}
		slices.Sort(all)
		for _, n := range slices.Compact(all) {
			in[e.attack][n] += cost[i]
			sum[e.attack] += cost[i]
		}
	}
	out := make([]float64, len(c.phrases))
	share := func(attack bool, n int) float64 {
		return (in[attack][n] + smoothing) / (sum[attack] + smoothing*float64(len(out)))
	}
	for n := range out {
		out[n] = weight * math.Log(share(true, n)/share(false, n))
	}
	return out
}

// learn fits what of returns.
func (r *regression) learn(list []*example, of func(*example) []lesson) *fitted {
	var passages [][]lesson
	var attack []bool
	for _, e := range list {
		passages, attack = append(passages, of(e)), append(attack, e.attack)
	}
	return r.fit(passages, attack, costs(list))
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
		for _, n := range p {
			if kept[n] {
				out[i] = append(out[i], n)
			}
		}
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
