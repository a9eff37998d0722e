package scan

import (
	"strings"
	"unicode/utf8"
)

// mark is one word or phrase of a sentence that the lexicon knows.
type mark struct {
	set         concepts
	first, last int // its words, counted from the start of the text
	start, end  int // its bytes in the text
}

// sentence is what is said in one go: marks in order, and the union of their
// concepts.
type sentence struct {
	marks      []mark
	all        concepts
	foreign    bool // not English, by two words at least
	start, end int  // bytes in the text
}

// vocabulary is what one definition calls its own: words that are no news in its
// sentences.
type vocabulary struct {
	self   string          // the tool's name, folded
	params map[string]bool // names of its parameters, folded
}

// sentences reads a folded text; raw is the text before, to tell constants from
// names of tools.
func sentences(text, raw string, v vocabulary) []sentence {
	r := reader{text: text, raw: raw, own: v, lex: words()}
	if len(raw) != len(text) {
		r.raw = text
	}
	r.read()
	return r.out
}

type reader struct {
	text string
	raw  string
	own  vocabulary
	lex  *lexicon
	word int // words so far
	skip int // what begins before this byte is taken by a plain phrase
	open sentence

	foreign int // words of other languages in the open sentence
	out     []sentence
	hits    []found
}

func (r *reader) read() {
	inWord := false
	for i := 0; i < len(r.text); {
		c, size := rune(r.text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(r.text[i:])
		}
		switch {
		case wordRune(c) && !ideographic(c):
			if !inWord {
				r.wordAt(i)
			}
			inWord = true
		case c == '_':
			// part of a name: what follows is no new word
		case ideographic(c):
			inWord = false
			r.wordAt(i)
		default:
			inWord = false
			if r.stop(c, i) {
				r.close(i)
			} else if c != ' ' && c != '\n' {
				r.signAt(i)
			}
			if (c == ',' || c == ':') && i+1 < len(r.text) && r.text[i+1] <= ' ' {
				r.word += 2 // what stands on both sides is further apart
			}
		}
		i += size
	}
	r.close(len(r.text))
}

// wordAt takes what begins with the word at i.
func (r *reader) wordAt(i int) {
	r.word++
	if i < r.skip {
		return
	}
	r.take(i)
	if set, end := r.name(i); set != 0 {
		r.add(mark{set, r.word, r.word, i, end})
	}
}

// signAt takes entries that begin with a sign, such as /etc/passwd or ~/.ssh.
func (r *reader) signAt(i int) {
	switch r.text[i] {
	case '.', '/', '~', '*', '#', '$':
		if i == 0 || !wordRune(rune(r.text[i-1])) {
			r.take(i)
		}
	case '@':
		if r.address(i) {
			r.add(mark{r.lex.bit["email"], r.word, r.word, i, i + 1})
		}
	}
}

func (r *reader) take(i int) {
	r.hits = r.lex.walk(r.text[i:], r.hits[:0])
	for _, h := range r.hits {
		if h.plain {
			r.skip = i + h.end // a phrase that means nothing here, whatever its words do
			return
		}
	}
	for _, h := range r.hits {
		last := r.word
		for j := i + 1; j < i+h.end; j++ {
			if gap(rune(r.text[j])) && !gap(rune(r.text[j-1])) && j+1 < i+h.end {
				last++
			}
		}
		r.add(mark{h.set, r.word, last, i, i + h.end})
	}
}

func (r *reader) add(m mark) {
	r.open.marks = append(r.open.marks, m)
	r.open.all |= m.set
	if m.set&r.lex.bit["foreign"] != 0 {
		r.foreign++
	}
}

// address reports whether the @ at i stands in a mail address.
func (r *reader) address(i int) bool {
	if i == 0 || !wordRune(rune(r.text[i-1])) {
		return false
	}
	host := r.text[i+1:]
	end := strings.IndexFunc(host, func(c rune) bool { return !wordRune(c) && c != '.' && c != '-' })
	if end < 0 {
		end = len(host)
	}
	dot := strings.IndexByte(host[:end], '.')
	return dot > 0 && dot < end-1
}

// name judges the word at i: the tool's own name, one of its parameters, or what
// is written like the name of another tool.
func (r *reader) name(i int) (concepts, int) {
	end, joined := i, false
	for end < len(r.text) {
		c := r.text[end]
		if c >= utf8.RuneSelf || c != '_' && !wordRune(rune(c)) {
			break
		}
		joined = joined || c == '_' && end > i
		end++
	}
	word := r.text[i:end]
	switch {
	case len(word) < 2:
		return 0, end
	case word == r.own.self:
		return r.lex.bit["self"], end
	case r.own.params[word]:
		return r.lex.bit["param"], end
	case r.raw[i] >= 'A' && r.raw[i] <= 'Z' && r.raw[end-1] <= 'Z':
		return 0, end // a constant, such as an environment variable
	case joined && strings.Trim(word, "_") == word && i > 0 && r.text[i-1] != '.' && r.text[i-1] != '$':
		return r.lex.bit["named"], end
	case i > 0 && r.text[i-1] == '`' && (strings.HasPrefix(r.text[end:], "` tool") || strings.HasPrefix(r.text[end:], "` function")):
		return r.lex.bit["named"], end
	}
	return 0, end
}

// stop reports whether the character at i ends a sentence. A single line break
// does not: descriptions are wrapped.
func (r *reader) stop(c rune, i int) bool {
	next := byte(' ')
	if i+1 < len(r.text) {
		next = r.text[i+1]
	}
	switch c {
	case '.', '!', '?':
		return next == ' ' || next == '\n' || next == '\t' || next == '\r' || next == '<' || next == '"' || next == '\''
	case ';', '。', '！', '？', '；', '।', '؟':
		return true
	case '\n':
		rest := strings.TrimLeft(r.text[i+1:min(len(r.text), i+40)], " \t\r")
		return rest != "" && (rest[0] == '\n' || rest[0] == '-' || rest[0] == '*' || rest[0] == '#' || labelled(rest))
	}
	return false
}

func (r *reader) close(end int) {
	if len(r.open.marks) > 0 {
		r.open.foreign = r.foreign > 1
		r.open.end = end
		r.out = append(r.out, r.open)
	}
	r.open, r.foreign = sentence{start: end}, 0
	r.word += 3 // sentences are apart
}

// labelled reports a line that begins with a name and a colon, as lists of
// parameters do.
func labelled(line string) bool {
	end := strings.IndexFunc(line, func(c rune) bool { return c != '_' && !wordRune(c) })
	if end <= 0 {
		return false
	}
	rest := strings.TrimLeft(line[end:], " ")
	return strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "(")
}
