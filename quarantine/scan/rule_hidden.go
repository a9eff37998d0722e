package scan

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// hiddenCharacters finds characters that hide text or steer a terminal.
type hiddenCharacters struct{}

func (hiddenCharacters) scan(s *subject) []Finding {
	var list []Finding
	for _, f := range s.fields {
		prev := rune(0)
		for at, r := range f.text {
			if key, block, why := suspect(prev, r); key != "" {
				list = append(list, Finding{key: "hidden-character/" + key, Block: block, Field: f.path, Start: at, End: at + len(string(r)),
					Text: fmt.Sprintf("U+%04X", r), Why: why, Do: "do not approve text that you cannot see; ask its author to remove it"})
				break
			}
			prev = r
		}
	}
	return list
}

// suspect judges r after prev. Joiners are part of Indic and Persian words and
// of emoji, direction marks of right-to-left text; between Latin letters they
// have no business.
func suspect(prev, r rune) (key string, block bool, why string) {
	switch {
	case r == 0x1b || r == 0x9b:
		return "escape", true, "an escape sequence that steers a terminal"
	case r < 0x20 && !strings.ContainsRune("\t\n\r\f\v", r) || r == 0x7f:
		return "control", false, "a control character"
	case r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
		return "order", true, "a character that reorders what is shown"
	case r >= 0xE0000 && r <= 0xE007F && prev != 0x1F3F4 && (prev < 0xE0000 || prev > 0xE007F):
		return "tag", true, "invisible tag characters that spell hidden text"
	case (r == 0x200B || r == 0x2060 || r == 0x180E || r == 0xFEFF && prev != 0) && !cjk(prev):
		return "invisible", true, "an invisible character inside of text"
	case (r == 0x200C || r == 0x200D || r == 0xAD) && prev < 0x250:
		return "joiner", r != 0xAD, "an invisible joiner between Latin letters"
	case r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000:
		return "private", false, "a private-use character that means something else elsewhere"
	}
	return "", false, ""
}

func cjk(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Khmer, unicode.Lao, unicode.Myanmar)
}

// mixedScripts finds words that mix Latin letters with look-alikes.
type mixedScripts struct{}

func (mixedScripts) scan(s *subject) []Finding {
	var list []Finding
	for _, f := range s.fields {
		for word := range strings.FieldsFuncSeq(f.text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			if mixed(word) {
				list = append(list, Finding{key: "look-alike", Field: f.path, Start: -1, End: -1, Text: clip(word),
					Why: "mixes letters of two scripts that look alike in one word", Do: "read it letter by letter; honest words keep to one script"})
				break
			}
		}
	}
	return list
}

func mixed(word string) bool {
	var latin, other bool
	for _, r := range word {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee) && r != 'µ' && r != 'Ω' && r != 'μ' && r != 'π' && r != 'Δ':
			other = true
		}
	}
	return latin && other
}

// padding finds text that is pushed out of sight.
type padding struct{}

func (padding) scan(s *subject) []Finding {
	for _, f := range s.fields {
		for _, gap := range []string{strings.Repeat(" ", 60), strings.Repeat("\n", 12), strings.Repeat("\t", 15)} {
			if at := strings.Index(f.text, gap); at >= 0 && strings.TrimSpace(f.text[at:]) != "" {
				return []Finding{{key: "padding", Field: f.path, Start: at, End: at + len(gap), Text: "…",
					Why: "pushes text out of sight", Do: "read what stands behind the gap"}}
			}
		}
	}
	return nil
}

// encoded finds words in base64 or hex: text that only a machine should read. An
// example is honest; an order in there is not.
type encoded struct{}

func (encoded) scan(s *subject) []Finding {
	for _, f := range s.fields {
		says := decoded(f.text)
		if len(says) == 0 {
			continue
		}
		found := Finding{key: "encoded/words", Field: f.path, Start: -1, End: -1, Text: clip(says[0]),
			Why: "holds encoded words", Do: "read the decoded text; honest definitions say what they mean"}
		if ordersIn(says) {
			found.key, found.Block = "encoded/orders", true
		}
		return []Finding{found}
	}
	return nil
}

// ordersIn reports whether any of texts is what the directive, concealment,
// exfiltration or command rules look for.
func ordersIn(texts []string) bool {
	for _, text := range texts {
		folded := fold(text)
		hidden := subject{fields: []field{{text: text, kind: proseText, forms: []form{{text: folded, sentences: sentences(folded, text, vocabulary{})}}}}}
		for _, r := range slices.Concat(directiveRules, concealRules, exfiltrationRules, commandRules) {
			if len(r.scan(&hidden)) > 0 {
				return true
			}
		}
	}
	return false
}

// tooLarge tells that a definition was not read to its end.
type tooLarge struct{}

func (tooLarge) scan(s *subject) []Finding {
	if !s.cut {
		return nil
	}
	return []Finding{{key: "too-large", Field: "definition", Start: -1, End: -1, Text: "…",
		Why: "is larger than what is read, so that text can hide in it", Do: "read the whole definition; ask its author for a shorter one"}}
}
