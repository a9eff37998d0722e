package scan

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write weights.txt anew from the development part of the corpus")

// example is one definition as the regression sees it.
type example struct {
	row    row
	attack bool
	hard   bool // honest, with the words of attacks
	group  string
	sets   [][]string // passages
	at     [][]int    // their keys by number
	cost   float64
}

// examples are the development part of the corpus, testdata, and real tools.
func examples(t testing.TB) (list []example) {
	t.Helper()
	add := func(rows []row, attack, hard bool) {
		for _, r := range rows {
			if r.heldOut() || attack && r.TextDetectable != nil && !*r.TextDetectable {
				continue
			}
			e := example{row: r, attack: attack, hard: hard || r.HardNegative, group: groupOf(r)}
			e.sets = passages(look(r.tool(t), nil))
			list = append(list, e)
		}
	}
	add(corpus(t, "attacks.jsonl"), true, false)
	add(written(t, "attacks.txt"), true, false)
	benign := corpus(t, "benign.jsonl")
	add(benign, false, false)
	add(written(t, "honest.txt"), false, true)
	seen := map[string]bool{}
	for _, r := range benign {
		seen[r.Description] = true
	}
	for _, r := range mcpReal(t) {
		if !seen[r.Description] {
			add([]row{r}, false, false)
		}
	}
	costs(list)
	number(list)
	return list
}

// groupOf is what is left out together: a source, or a tenth of the real servers.
func groupOf(r row) string {
	source, _, _ := strings.Cut(strings.TrimPrefix(r.Source, "derived from "), "@")
	if r.Server != "" && r.Server == r.Source {
		h := fnv.New32a()
		h.Write([]byte(r.Server))
		return fmt.Sprintf("real-%d", h.Sum32()%8)
	}
	if source == "written" {
		h := fnv.New32a()
		h.Write([]byte(r.Name))
		return fmt.Sprintf("written-%d", h.Sum32()%5)
	}
	return source
}

// costs gives each side the same weight, and each technique of each source its
// root: what was copied twelve times does not count twelve times.
func costs(list []example) {
	size := map[string]int{}
	for _, e := range list {
		size[e.group+e.row.Technique]++
	}
	sum := map[bool]float64{}
	for i := range list {
		e := &list[i]
		e.cost = 1
		if e.attack {
			e.cost = 1 / math.Sqrt(float64(size[e.group+e.row.Technique]))
			if e.row.Technique == "overt_malicious_capability" {
				e.cost /= 4
			}
		} else if e.hard {
			e.cost = hardCost
		}
		sum[e.attack] += e.cost
	}
	for i := range list {
		list[i].cost *= 100 / sum[list[i].attack]
	}
}

// How the regression is set; chosen by leaving sources out one at a time.
var hardCost, slope, hold = 6.0, 8.0, .25

// fit returns weights for list: a logistic regression whose odds are slope times
// the score above 1, drawn to the priors.
func fit(list []example) map[string]float64 {
	names := keyNames
	start := make([]float64, len(names))
	for i, k := range names {
		start[i] = priors[k]
	}
	least, most := bounds()
	w := slices.Clone(start)
	bias := 0.0
	grad := make([]float64, len(w))
	for round := range 400 {
		step := 0.02
		if round > 300 {
			step = 0.005
		}
		clear(grad)
		gb := 0.0
		for i := range list {
			e := &list[i]
			z, heaviest := e.heaviest(w)
			z += bias - 1
			d := e.cost / (1 + math.Exp(-slope*z))
			if e.attack {
				d -= e.cost
			}
			for _, k := range heaviest {
				grad[k] += d
			}
			gb += d
		}
		for k := range w {
			w[k] -= step * (grad[k]*slope/4 + hold*(w[k]-start[k]))
			w[k] = min(max(w[k], least[k]), most[k])
		}
		bias -= step * gb * slope / 4
	}
	m := map[string]float64{"review": 1 - bias}
	for i, k := range names {
		m[k] = w[i]
	}
	return m
}

// bounds keep what speaks against a definition from speaking for it, and what
// speaks for it small: an attacker can write it too.
func bounds() (least, most []float64) {
	for _, k := range keyNames {
		low, high := 0.0, 3.0
		switch {
		case strings.Contains(k, "~"):
			low, high = -.8, 0
		case priors[k] < 0:
			low, high = -.4, 0
		}
		least, most = append(least, low), append(most, high)
	}
	return least, most
}

// keyNames are the keys by number.
var keyNames []string

// number gives the examples their keys by number.
func number(list []example) {
	keyNames = slices.Sorted(maps.Keys(priors))
	for i := range list {
		for _, set := range list[i].sets {
			var at []int
			for _, k := range set {
				if n, ok := slices.BinarySearch(keyNames, k); ok {
					at = append(at, n)
				}
			}
			list[i].at = append(list[i].at, at)
		}
	}
}

// heaviest returns the passage that weighs most, and its weight.
func (e *example) heaviest(w []float64) (best float64, keys []int) {
	for i, set := range e.at {
		sum := 0.0
		for _, k := range set {
			sum += w[k]
		}
		if i == 0 || sum > best {
			best, keys = sum, set
		}
	}
	return best, keys
}

func score(w map[string]float64, e example) float64 { return scoreOf(e.sets, w) }

// tune sets the score for review so that honest examples of list stay below it as
// wanted.
func tune(w map[string]float64, list []example, ordinary, hard, real float64) {
	var o, h, r []float64
	for _, e := range list {
		if e.attack {
			continue
		}
		switch {
		case e.hard:
			h = append(h, score(w, e))
		case strings.HasPrefix(e.group, "real"):
			r = append(r, score(w, e))
		default:
			o = append(o, score(w, e))
		}
	}
	slices.Sort(o)
	slices.Sort(h)
	slices.Sort(r)
	at := func(s []float64, share float64) float64 {
		if len(s) == 0 {
			return 0
		}
		return s[min(len(s)-1, int(math.Ceil(float64(len(s))*(1-share))))]
	}
	w["review"] = max(at(o, ordinary), at(h, hard), at(r, real)) + 1e-6
}

// learn fits weights and sets the score for review: of the honest examples it may
// flag .6 % of the ordinary, 4 % of the hard, and 1.5 % of the real tools, which are
// not told apart. The score for review is 1.
func learn(list []example) map[string]float64 {
	w := fit(list)
	tune(w, list, .006, .04, .015)
	at := w["review"]
	for key := range w {
		w[key] /= at
	}
	return w
}

// TestWeights holds weights.txt to what training yields; -update writes it.
func TestWeights(t *testing.T) {
	list := examples(t)
	w := learn(list)
	if *update {
		var b strings.Builder
		b.WriteString("# Made by go test ./quarantine/scan -run Weights -update; do not edit.\n")
		for _, key := range keyNames {
			fmt.Fprintf(&b, "%.3f %s\n", w[key], key)
		}
		if err := os.WriteFile("weights.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have := readWeights(learned)
	have["review"] = reviewAt
	for key, want := range w {
		if math.Abs(have[key]-want) > .02 {
			t.Errorf("%s: %.3f, training yields %.3f: run go test ./quarantine/scan -run Weights -update", key, have[key], want)
		}
	}
}
