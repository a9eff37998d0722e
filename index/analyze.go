package index

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unique"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// analyzerVersion changes whenever the same text may give other terms; the
// catalogue records it, so that an index of an older analyzer is rebuilt.
const analyzerVersion = 1

// maxWord is the most bytes of one word: what is longer is a key, a hash or
// base64, not something that anyone searches for.
const maxWord = 48

// term is a stemmed word. Equal terms are equal handles, which makes the many
// dictionary look-ups of a search cheap.
type term = unique.Handle[string]

// token is one word of a text.
type token struct {
	word string // folded, not stemmed
	term term
	// compound marks a word made of words that are tokens themselves
	// ("github" besides "git" and "hub"); it adds no length.
	compound bool
}

// analyzer turns text into tokens. It remembers stems, so one analyzer serves
// one batch of documents or one query; it is not safe for concurrent use.
type analyzer struct {
	stems map[string]term
	out   []token
}

func newAnalyzer() *analyzer { return &analyzer{stems: make(map[string]term)} }

// tokens returns the words of text in order: Unicode NFKC, without diacritics,
// split at everything but letters and digits and inside identifiers
// (camelCase, HTTPServer, sha256), case-folded, stemmed as English. CJK text
// gives single characters and bigrams. The slice is valid until the next call.
func (a *analyzer) tokens(text string) []token {
	a.out = a.out[:0]
	text = foldMarks(text)
	start := -1
	for i, r := range text {
		if isWordRune(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			a.run(text[start:i])
			start = -1
		}
	}
	if start >= 0 {
		a.run(text[start:])
	}
	return a.out
}

// foldMarks returns text in NFKC without combining diacritics. Marks of other
// scripts (vowel signs, voicing) stay: they are letters there.
func foldMarks(text string) string {
	if isASCII(text) {
		return text
	}
	decomposed := norm.NFKD.String(strings.ToValidUTF8(text, " "))
	stripped := strings.Map(func(r rune) rune {
		if r >= 0x0300 && r <= 0x036f {
			return -1
		}
		return r
	}, decomposed)
	return norm.NFC.String(stripped)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// isCJK reports scripts written without spaces, or with endings glued on.
func isCJK(r rune) bool {
	return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// run handles one run of letters and digits: CJK stretches apart from others.
func (a *analyzer) run(s string) {
	for s != "" {
		first, _ := utf8.DecodeRuneInString(s)
		cjk := isCJK(first)
		end := strings.IndexFunc(s, func(r rune) bool { return isCJK(r) != cjk })
		if end < 0 {
			end = len(s)
		}
		if cjk {
			a.grams(s[:end])
		} else {
			a.identifier(s[:end])
		}
		s = s[end:]
	}
}

// grams emits single characters and, as compounds, bigrams.
func (a *analyzer) grams(s string) {
	prev := ""
	for _, r := range s {
		c := string(r)
		a.emit(c, false)
		if prev != "" {
			a.emit(prev+c, true)
		}
		prev = c
	}
}

// identifier emits the parts of s and, if there are several, s as a whole.
func (a *analyzer) identifier(s string) {
	parts := 0
	for rest := s; rest != ""; parts++ {
		n := partLen(rest)
		if n == len(s) {
			break // one part: emitted below
		}
		a.emit(rest[:n], false)
		rest = rest[n:]
	}
	a.emit(s, parts > 0)
}

// partLen returns the length of the first part of an identifier without
// separators: "HTTPServer" -> 4, "listItems" -> 4, "sha256" -> 3. A capital or
// two with one small letter behind ("IDs", "APIs") stays whole.
func partLen(s string) int {
	prev, size := utf8.DecodeRuneInString(s)
	for i := size; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsDigit(prev) != unicode.IsDigit(r):
			return i
		case unicode.IsUpper(r) && unicode.IsLower(prev):
			return i
		case unicode.IsUpper(r) && unicode.IsUpper(prev) && lowers(s[i+n:]) > 1:
			return i
		}
		prev = r
		i += n
	}
	return len(s)
}

// lowers counts the small letters at the beginning of s, up to two.
func lowers(s string) int {
	n := 0
	for _, r := range s {
		if n == 2 || !unicode.IsLower(r) {
			break
		}
		n++
	}
	return n
}

func (a *analyzer) emit(word string, compound bool) {
	if len(word) > maxWord {
		return
	}
	word = fold(word)
	a.out = append(a.out, token{word: word, term: a.stem(word), compound: compound})
}

func fold(word string) string {
	if isASCII(word) {
		return strings.ToLower(word)
	}
	return cases.Fold().String(word)
}

// stem returns the term of a folded word: Snowball's English stemmer for words
// of small Latin letters, the word itself for everything else.
func (a *analyzer) stem(word string) term {
	if t, ok := a.stems[word]; ok {
		return t
	}
	stemmed := word
	if len(word) > 2 && isLatin(word) {
		env := snowballstem.NewEnv(word)
		english.Stem(env)
		stemmed = env.Current()
	}
	t := unique.Make(stemmed)
	a.stems[word] = t
	return t
}

func isLatin(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return true
}
