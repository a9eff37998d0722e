package scan

import (
	_ "embed"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// words.txt has what words and pairs of words add to the score of a passage,
// learned by TestWeights: a logistic regression beside that of weights.txt. Rules
// know what attacks have to say; words know how it is said, in texts that no rule
// foresaw.
//
//go:embed words.txt
var learnedWords string

// link says how the words of a phrase stand to each other.
type link byte

const (
	alone  link = iota
	next        // one right after the other
	apart       // with one word between
	inName      // alone, in the name of a parameter
)

// phrase is one or two words of a text, or signs.
type phrase struct {
	first, second string
	how           link
}

func (p phrase) String() string {
	switch p.how {
	case next:
		return p.first + " " + p.second
	case apart:
		return p.first + " _ " + p.second
	case inName:
		return "@name " + p.first
	}
	return p.first
}

func readPhrase(text string) phrase {
	switch part := strings.Split(text, " "); {
	case len(part) == 1:
		return phrase{first: part[0]}
	case part[0] == "@name":
		return phrase{first: part[1], how: inName}
	case len(part) == 3:
		return phrase{part[0], part[2], apart}
	default:
		return phrase{part[0], part[1], next}
	}
}

// wording is a set of phrases with a weight each; its zero value knows none.
type wording struct {
	at      map[phrase]int32
	weights []float64
}

// bundled is the wording of words.txt.
var bundled = sync.OnceValue(func() *wording {
	w, err := readWording(learnedWords)
	if err != nil {
		panic("scan: words.txt: " + err.Error()) // embedded: a test would have seen it
	}
	return w
})

// readWording reads lines of a weight and a phrase.
func readWording(text string) (*wording, error) {
	w := &wording{at: map[phrase]int32{}}
	for line := range strings.Lines(text) {
		number, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok || number == "#" {
			continue
		}
		weight, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		w.at[readPhrase(rest)] = int32(len(w.weights))
		w.weights = append(w.weights, weight)
	}
	return w, nil
}

// find returns the numbers of the phrases of text that are known, in order and
// each once.
func (w *wording) find(text string) []int32 { return w.numbers(eachPhrase, text) }

// findName is find for the name of a parameter.
func (w *wording) findName(name string) []int32 { return w.numbers(eachOfName, name) }

func (w *wording) numbers(each func(string, func(phrase)), text string) []int32 {
	var list []int32
	each(text, func(p phrase) {
		if n, ok := w.at[p]; ok {
			list = append(list, n)
		}
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// eachPhrase calls f with the phrases of a folded text. What is not ASCII is left
// out: other languages are the lexicon's.
func eachPhrase(text string, f func(phrase)) {
	var before, last string
	for word := range tokens(text) {
		f(phrase{first: word})
		if last != "" {
			f(phrase{last, word, next})
		}
		if before != "" {
			f(phrase{before, word, apart})
		}
		before, last = last, word
	}
}

func eachOfName(name string, f func(phrase)) {
	for word := range tokens(name) {
		f(phrase{first: word, how: inName})
	}
}

// tokens yields the words of a folded text, each sign as one, and 0 for every number.
func tokens(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < len(text); {
			end := i + 1
			word := ""
			switch c := text[i]; {
			case c >= 'a' && c <= 'z':
				for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] == '\'' && end+1 < len(text) && text[end+1] >= 'a' && text[end+1] <= 'z') {
					end++
				}
				word = text[i:end]
			case c >= '0' && c <= '9':
				for end < len(text) && text[end] >= '0' && text[end] <= '9' {
					end++
				}
				word = "0"
			case c > ' ' && c < 0x7F && c != '_' && c != '@':
				word = text[i:end]
			}
			if word != "" && !yield(word) {
				return
			}
			i = end
		}
	}
}

// weigh returns the score of a passage by its phrases: their sum over the root of
// how many there are, so that a long passage does not weigh more by length.
func (w *wording) weigh(phrases []int32) float64 {
	sum := 0.0
	for _, n := range phrases {
		sum += w.weights[n]
	}
	return sum * shareOf(len(phrases))
}

// shareOf is what one phrase of n counts for.
func shareOf(n int) float64 { return 1 / math.Sqrt(float64(max(n, 9))) }
