package scan

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// example is one definition as the regressions see it.
type example struct {
	row    row
	attack bool
	hard   bool // honest, with the words of attacks
	group  string

	passages       []passage
	byRule, byWord []lesson // of each
}

// author reports an example that was written for this by one of several authors.
func (e *example) author() bool { return strings.HasPrefix(e.group, "author") }

// course is what is learned from: the development part of the corpus, testdata, and
// real tools.
type course struct {
	list    []*example
	keys    []string // of rules, by number
	phrases []phrase // by number
}

func newCourse(t testing.TB) *course {
	t.Helper()
	c := &course{}
	add := func(rows []row, attack, hard bool) {
		for _, r := range rows {
			if r.heldOut() || attack && r.TextDetectable != nil && !*r.TextDetectable {
				continue
			}
			c.list = append(c.list, &example{row: r, attack: attack, hard: hard || r.HardNegative, group: groupOf(r)})
		}
	}
	add(corpus(t, "attacks.jsonl"), true, false)
	add(written(t, "attacks.txt"), true, false)
	benign := corpus(t, "benign.jsonl")
	add(benign, false, false)
	add(written(t, "honest.txt"), false, true)
	attacks, honest := authors(t, "written")
	add(attacks, true, false)
	add(honest, false, true)
	seen := map[string]bool{}
	for _, r := range benign {
		seen[r.Description] = true
	}
	for _, r := range mcpReal(t) {
		if !seen[r.Description] {
			add([]row{r}, false, false)
		}
	}
	for _, r := range toolTexts(t, []string{"mcp-real/toucan", "mcp-real/awslabs+mcp", "composio", "langchain-community", "toolrl-rlla", "tooleyes"}) {
		if !seen[r.Description] {
			add([]row{r}, false, false)
		}
	}
	c.keys = slices.Sorted(maps.Keys(priors))
	c.vocabulary(t)
	c.read(t)
	return c
}

// groupOf is what is left out together: a source, an author, or a tenth of the real
// servers.
func groupOf(r row) string {
	source, _, _ := strings.Cut(strings.TrimPrefix(r.Source, "derived from "), "@")
	part := func(name string, n uint32) string {
		h := fnv.New32a()
		h.Write([]byte(name))
		return fmt.Sprint(h.Sum32() % n)
	}
	switch {
	case r.fromText:
		return "text-" + source + part(r.Name, 4)
	case r.Server != "" && r.Server == r.Source:
		return "real-" + part(r.Server, 8)
	case source == "written":
		return "written-" + part(r.Name, 5)
	}
	return source
}

// A phrase is learned if so many definitions have it, and at most this share: what
// nearly every text has tells nothing, and what few have is learned by heart.
const (
	leastSeen = 3
	mostSeen  = .2
)

// vocabulary takes the phrases that can be learned from.
func (c *course) vocabulary(t testing.TB) {
	count := map[phrase]int{}
	for _, e := range c.list {
		in := map[phrase]bool{}
		s := look(e.row.tool(t), nil, &wording{})
		for _, one := range s.sentences {
			if one.field.kind != nameText {
				eachPhrase(one.text(), func(p phrase) { in[p] = true })
			}
		}
		for _, name := range s.params {
			eachOfName(name, func(p phrase) { in[p] = true })
		}
		for p := range in {
			count[p]++
		}
	}
	for p, n := range count {
		if n >= leastSeen && float64(n) <= mostSeen*float64(len(c.list)) && !p.signs() {
			c.phrases = append(c.phrases, p)
		}
	}
	slices.SortFunc(c.phrases, func(a, b phrase) int { return strings.Compare(a.String(), b.String()) })
}

// signs reports a phrase without a word.
func (p phrase) signs() bool {
	word := func(s string) bool { return s != "" && s[0] >= 'a' && s[0] <= 'z' }
	return !word(p.first) && !word(p.second)
}

// read reads the examples.
func (c *course) read(t testing.TB) {
	w := &wording{at: map[phrase]int32{}, weights: make([]float64, len(c.phrases))}
	for i, p := range c.phrases {
		w.at[p] = int32(i)
	}
	for _, e := range c.list {
		for _, p := range look(e.row.tool(t), nil, w).passages() {
			var keys lesson
			for _, k := range p.keys {
				n, _ := slices.BinarySearch(c.keys, k)
				keys = append(keys, int32(n))
			}
			e.passages = append(e.passages, p)
			e.byRule = append(e.byRule, keys)
			e.byWord = append(e.byWord, p.words)
		}
	}
}

// costs are what a wrong answer about each example costs. Each side weighs the same,
// and each technique of each source its root: what was copied twelve times does not
// count twelve times.
func costs(list []*example) []float64 {
	size := map[string]int{}
	for _, e := range list {
		size[e.group+e.row.Technique]++
	}
	sum := map[bool]float64{}
	out := make([]float64, len(list))
	for i, e := range list {
		cost := 1.0
		switch {
		case e.attack && e.author():
			cost = .5
		case e.attack:
			cost = 1 / math.Sqrt(float64(size[e.group+e.row.Technique]))
			if e.row.Technique == "overt_malicious_capability" {
				cost /= 2
			}
		case e.hard:
			cost = 20
		case e.row.fromText: // a name and a first paragraph
			cost = .4
		}
		out[i] = cost
		sum[e.attack] += cost
	}
	for i, e := range list {
		out[i] *= 100 / sum[e.attack]
	}
	return out
}
