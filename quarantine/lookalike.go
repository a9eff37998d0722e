package quarantine

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"mcpproxy/internal/tool"
)

// skeletons maps letters and digits to the Latin ones that they are mistaken
// for, after case folding: the letters of Unicode Technical Standard 39
// (confusables) that identifiers are made of, Cyrillic, Greek and Armenian among
// them, and the digits that stand for letters.
var skeletons = func() map[rune]rune {
	m := make(map[rune]rune)
	for latin, others := range map[rune]string{
		'a': "аɑα", 'b': "Ьƅв", 'c': "сϲ", 'd': "ԁɗ", 'e': "еєҽε", 'g': "ɡց", 'h': "һհнη", 'i': "іıɩι", 'j': "јϳ",
		'k': "кκ", 'l': "1ⅼӏ|ǀ", 'm': "м", 'n': "ոп", 'o': "0оοօσ", 'p': "рρ", 'q': "ԛզ", 'r': "гᴦ", 's': "ѕꜱ", 't': "тτ",
		'u': "υս", 'v': "ѵν", 'w': "ԝѡω", 'x': "хχ", 'y': "уγү", 'z': "ᴢ", '_': "-‐‑–—",
	} {
		for _, r := range others {
			m[r] = latin
		}
	}
	return m
}()

// skeleton is what a name looks like: two names of one skeleton are easily taken
// for each other. It is NFKC, without zero-width characters and other marks,
// case-folded, with confusable letters made Latin.
func skeleton(name string) string {
	folded := cases.Fold().String(norm.NFKD.String(strings.ToValidUTF8(name, "\uFFFD")))
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me, unicode.Cc) || unicode.IsSpace(r) {
			return -1
		}
		if to, confusable := skeletons[r]; confusable {
			return to
		}
		return r
	}, folded)
}

// looks holds the names of one server's definitions by what they look like.
// Only names of one kind are taken for each other.
type looks map[look]string

type look struct {
	kind     tool.Kind
	skeleton string
}

// looks returns the looks of what is approved: the incumbents, which are never
// held for a newcomer.
func (s *serverView) looks() looks {
	m := make(looks, len(s.pins))
	for id, p := range s.pins {
		if !p.approved.IsZero() {
			m[look{id.Kind, skeleton(id.Name)}] = id.Name
		}
	}
	return m
}

// of returns the name that id is easily taken for, empty if there is none.
func (m looks) of(id tool.ID) string {
	if name := m[look{id.Kind, skeleton(id.Name)}]; name != id.Name {
		return name
	}
	return ""
}

// twin is of, and where there is none the look is that of id from then on.
func (m looks) twin(id tool.ID) string {
	twin := m.of(id)
	if twin == "" {
		m[look{id.Kind, skeleton(id.Name)}] = id.Name
	}
	return twin
}
