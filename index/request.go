package index

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mcpproxy/internal/tool"
)

// maxQueryBytes and maxQueryTerms bound the work of one search; an agent's
// request is a sentence or a paragraph.
const (
	maxQueryBytes = 4096
	maxQueryTerms = 256
)

// request is a query read for the lexical arm.
type request struct {
	groups []group
	words  int // different ones, without function words
	// exact are the squeezed tool names that the text spells out, with the
	// squeezed server in front of a colon where it names that too.
	exact []string
}

// group is one word of the query with what may stand for it.
type group struct {
	word     string // as the request has it, folded
	weight   float32
	compound bool    // repeats words that have groups of their own
	function bool    // a function word
	idf      float32 // of the word itself, 0 if no tool has it
	variants []variant
}

// variant is a term that answers a group. The first is the word itself.
type variant struct {
	term   term
	weight float32
	factor float32 // weight with everything that the collection adds
	// postings of the term in the snapshot that is searched.
	postings []posting
}

// parse reads text. Words of a compound and the compound, and neighbouring
// words as one, are all looked for; function words count little.
func parse(text string, w *weights) request {
	text = clip(text, maxQueryBytes)
	v := loadVocabulary()
	a := newAnalyzer()
	r := request{exact: exactNames(text)}
	seen := make(map[term]int)
	prev := ""
	for _, tok := range slices.Clone(a.tokens(text)) {
		if len(r.groups) >= maxQueryTerms {
			break
		}
		if tok.compound {
			r.add(seen, group{weight: w.queryCompound, compound: true, variants: []variant{{term: tok.term, weight: 1}}})
			continue
		}
		stop := v.stop[tok.word]
		g := group{word: tok.word, weight: 1, function: stop, variants: []variant{{term: tok.term, weight: 1}}}
		switch {
		case stop:
			g.weight = w.stop
		case v.light[tok.word]:
			g.weight = w.light
		}
		for _, s := range v.synonyms[tok.term] {
			g.variants = append(g.variants, variant{term: s, weight: w.synonym})
		}
		if _, again := seen[tok.term]; !stop && !again {
			r.words++
		}
		r.add(seen, g)
		if !stop && prev != "" && len(prev)+len(tok.word) <= maxWord {
			joined := a.stem(prev + tok.word)
			r.add(seen, group{weight: w.queryCompound, compound: true, variants: []variant{{term: joined, weight: 1}}})
		}
		prev = tok.word
		if stop {
			prev = ""
		}
	}
	return r
}

// add appends g unless its word is there; of two weights the higher counts.
func (r *request) add(seen map[term]int, g group) {
	if i, ok := seen[g.variants[0].term]; ok {
		r.groups[i].weight = max(r.groups[i].weight, g.weight)
		return
	}
	seen[g.variants[0].term] = len(r.groups)
	r.groups = append(r.groups, g)
}

// squeeze reduces a name to its letters and digits, in small letters, so that
// create_issue, createIssue and "create issue" are one.
func squeeze(name string) string {
	return fold(strings.Map(func(r rune) rune {
		if isWordRune(r) {
			return r
		}
		return -1
	}, foldMarks(name)))
}

// exactNames returns the names that text spells out: the whole text, and each
// word of it that is written as an identifier or as server:name.
func exactNames(text string) []string {
	var names []string
	if s := squeeze(text); s != "" {
		names = append(names, s)
	}
	for word := range strings.FieldsSeq(text) {
		word = strings.TrimFunc(word, func(r rune) bool { return !isWordRune(r) })
		if id, err := tool.ParseID(word); err == nil {
			names = append(names, squeeze(id.Server)+":"+squeeze(id.Name))
			continue
		}
		if isIdentifier(word) {
			names = append(names, squeeze(word))
		}
		if len(names) > maxQueryTerms {
			break
		}
	}
	return names
}

// isIdentifier reports a word that prose seldom contains: with an underscore or
// hyphen inside, or in camelCase. PascalCase is how products are called.
func isIdentifier(word string) bool {
	if strings.ContainsAny(word, "_-") {
		return true
	}
	first, _ := utf8.DecodeRuneInString(word)
	return unicode.IsLower(first) && strings.IndexFunc(word, unicode.IsUpper) > 0
}
