package scan

import (
	"slices"
	"strings"
)

// passageLength is how many sentences are weighed together. An order rarely takes
// more; in a long text words of attacks meet by chance.
const passageLength = 4

// passages are the sets of keys that are weighed together: those of each run of
// sentences, and with each those of the definition as a whole. Keys that excuse a
// rule count where every sentence with that rule has the excuse.
func passages(list []Finding) [][]string {
	var whole []string
	bySentence := map[int][]string{}
	var at []int
	for _, f := range list {
		if f.at == 0 {
			whole = appendNew(whole, f.key)
			continue
		}
		if bySentence[f.at] == nil {
			at = append(at, f.at)
		}
		bySentence[f.at] = appendNew(bySentence[f.at], f.key)
	}
	slices.Sort(at)
	if len(at) == 0 {
		return [][]string{whole}
	}
	var sets [][]string
	for i, first := range at {
		last := i
		for last+1 < len(at) && at[last+1] < first+passageLength {
			last++
		}
		if i > 0 && at[last] < at[i-1]+passageLength {
			continue // the passage before has all of this one
		}
		sets = append(sets, together(whole, bySentence, at[i:last+1]))
	}
	return sets
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

// scoreOf is the weight of the heaviest passage.
func scoreOf(sets [][]string, weights map[string]float64) float64 {
	best := 0.0
	for i, set := range sets {
		sum := 0.0
		for _, key := range set {
			sum += weights[key]
		}
		if i == 0 || sum > best {
			best = sum
		}
	}
	return best
}
