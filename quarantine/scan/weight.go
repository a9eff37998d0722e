package scan

import (
	_ "embed"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// weights.txt has what each pattern adds to a score, learned by TestWeights: a
// logistic regression on the development part of the corpus, real tools and
// testdata that starts at, and is held to, the weights that the rules were written
// with.
//
//go:embed weights.txt
var learned string

// priors are what findings are worth where weights.txt does not know them: of rules
// that are code here, of the others where they are made.
var priors = map[string]float64{
	"hidden-character/escape": 2, "hidden-character/control": 1, "hidden-character/order": 2, "hidden-character/tag": 2, "hidden-character/invisible": 1.5,
	"hidden-character/joiner": 1.5, "hidden-character/private": .8, "look-alike": 1.3, "padding": 1.2, "encoded/words": .4, "encoded/orders": 1.5, "too-large": 1.2,
	"contradiction/words destroy": .7, "contradiction/words priv": .9, "contradiction/words exec": .7,
	"contradiction/hint destroy": .5, "contradiction/hint priv": .6, "contradiction/hint exec": .6, "peer": .4, "side-channel/context": 1, "side-channel/llm": .9, "side-channel/secret": .4, "side-channel/personal": .5, "side-channel/path": .5,
	"side-channel/inner": .7, "side-channel/vague": .2, "side-channel/vague-many": 1,
}

// weights are by the key of a finding. They are complete once the rules are made.
var weights = readWeights(learned)

// reviewAt is the score from which a definition is for review.
const reviewAt = 1

// prior says what key is worth where weights.txt does not know it.
func prior(key string, weight float64) string {
	priors[key] = weight
	if _, ok := weights[key]; !ok {
		weights[key] = weight
	}
	return key
}

// readWeights reads lines of a number and a key.
func readWeights(text string) map[string]float64 {
	m := maps.Clone(priors)
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		number, key, _ := strings.Cut(line, " ")
		w, err := strconv.ParseFloat(number, 64)
		if err != nil {
			panic(fmt.Sprintf("scan: weights.txt: %q: %v", line, err)) // embedded: a test would have seen it
		}
		m[key] = w
	}
	return m
}
