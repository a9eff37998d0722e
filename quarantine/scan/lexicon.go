package scan

import (
	"embed"
	"fmt"
	"io/fs"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Words are grouped into concepts: "inform", "mention" and "告诉" are all tell.
// Rules are written over concepts, so that one rule reads many wordings and
// languages. lexicon/*.txt has them, one file a language.
//
//go:embed lexicon/*.txt
var lexiconFiles embed.FS

// concepts is a set of concepts, one bit each.
type concepts uint64

// lexicon finds the concepts of words. It is a trie over folded text.
type lexicon struct {
	nodes []trieNode
	bit   map[string]concepts
	names []string // by bit

	topics concepts // what a tool may be named for and then speak of freely

	foreign bool // what is read now is not English
}

type trieNode struct {
	next  []trieEdge
	exact concepts // entries that end here, before the end of a word
	stem  concepts // entries that end here, whatever follows
	plain plainness
}

// plainness tells that a phrase ends here that means nothing, whatever its words do.
type plainness byte

const (
	plainWord plainness = 1 + iota // at the end of a word
	plainStem                      // whatever follows
)

type trieEdge struct {
	r  rune
	to int32
}

// words is the lexicon of every language, read once.
var words = sync.OnceValue(func() *lexicon {
	l := &lexicon{nodes: make([]trieNode, 1), bit: map[string]concepts{}}
	for _, seen := range []string{"self", "named", "param", "email", "foreign"} {
		l.concept(seen) // what [reader] judges itself
	}
	files, err := fs.Glob(lexiconFiles, "lexicon/*.txt")
	if err != nil {
		panic(err)
	}
	english := slices.Index(files, "lexicon/en.txt")
	files[0], files[english] = files[english], files[0] // what is English too is not foreign
	for i, name := range files {
		l.foreign = i > 0
		text, err := lexiconFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if err := l.read(string(text)); err != nil {
			panic(fmt.Sprintf("%s: %v", name, err)) // embedded: a test would have seen it
		}
	}
	for _, name := range []string{"secret", "path", "context", "personal", "sink", "send", "llm", "inner", "monitor", "change", "target", "harm", "exec", "destroy", "ignore", "rules", "model", "persist"} {
		l.topics |= l.bit[name]
	}
	return l
})

// read adds the entries of one file.
func (l *lexicon) read(text string) error {
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		name, entries, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("line %d: no concept", n+1)
		}
		var bit concepts
		if name != "plain" {
			bit = l.concept(name)
		}
		for entry := range strings.SplitSeq(entries, ",") {
			at := l.add(fold(strings.TrimSpace(entry)), bit)
			if name == "plain" {
				l.nodes[at].plain = plainWord
				if strings.HasSuffix(entry, "*") {
					l.nodes[at].plain = plainStem
				}
			}
		}
	}
	return nil
}

// concept returns the bit of name, giving it one where it is new.
func (l *lexicon) concept(name string) concepts {
	bit, ok := l.bit[name]
	if !ok {
		if len(l.names) == 64 {
			panic("scan: more than 64 concepts")
		}
		bit = 1 << len(l.names)
		l.names = append(l.names, name)
		l.bit[name] = bit
	}
	return bit
}

// add puts an entry into the trie and returns where it ends.
func (l *lexicon) add(entry string, bit concepts) int32 {
	stem := strings.HasSuffix(entry, "*") && len(entry) > 2
	at := int32(0)
	for _, r := range strings.TrimSuffix(entry, "*") {
		to := l.step(at, r)
		if to < 0 {
			to = int32(len(l.nodes))
			l.nodes = append(l.nodes, trieNode{})
			l.nodes[at].next = append(l.nodes[at].next, trieEdge{r, to})
		}
		at = to
	}
	if node := l.nodes[at]; l.foreign && node.exact|node.stem == 0 {
		bit |= l.bit["foreign"]
	}
	if last, _ := utf8.DecodeLastRuneInString(entry); stem || ideographic(last) || !wordRune(last) {
		l.nodes[at].stem |= bit
	} else {
		l.nodes[at].exact |= bit
	}
	return at
}

func (l *lexicon) step(at int32, r rune) int32 {
	for _, e := range l.nodes[at].next {
		if e.r == r {
			return e.to
		}
	}
	return -1
}

// found is what [lexicon.walk] yields: text[:end] is an entry of set.
type found struct {
	end   int
	set   concepts
	plain bool
}

// walk appends the entries that text begins with to list. A space of an entry
// stands for any run of white space, - and _.
func (l *lexicon) walk(text string, list []found) []found {
	at, i := int32(0), 0
	for i < len(text) {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		to := l.step(at, r)
		if to < 0 && gap(r) {
			if to = l.step(at, ' '); to >= 0 {
				for i+size < len(text) && gap(rune(text[i+size])) {
					size++
				}
			}
		}
		if to < 0 {
			return list
		}
		at, i = to, i+size
		node := &l.nodes[at]
		set, plain := node.stem, node.plain == plainStem
		if (node.exact != 0 || node.plain == plainWord) && ends(text[i:]) {
			set, plain = set|node.exact, plain || node.plain == plainWord
		}
		if set != 0 || plain {
			list = append(list, found{i, set, plain})
		}
	}
	return list
}

func gap(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '-' || r == '_' }

// ends reports whether no word goes on in rest.
func ends(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || r != '_' && !wordRune(r)
}

// wordRune reports what words are made of, combining marks included.
func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N)
}

// ideographic reports scripts that are written without spaces.
func ideographic(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// describe names the concepts of a set.
func (l *lexicon) describe(set concepts) string {
	var list []string
	for ; set != 0; set &= set - 1 {
		list = append(list, l.names[bits.TrailingZeros64(uint64(set))])
	}
	return strings.Join(list, "|")
}
