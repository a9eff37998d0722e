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
			if weight, block, why := suspect(prev, r); weight > 0 {
				list = append(list, Finding{Rule: "hidden-character", Weight: weight, Block: block, Field: f.path, Start: at, End: at + len(string(r)),
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
func suspect(prev, r rune) (weight float64, block bool, why string) {
	switch {
	case r == 0x1b || r == 0x9b:
		return 2, true, "an escape sequence that steers a terminal"
	case r < 0x20 && !strings.ContainsRune("\t\n\r\f\v", r) || r == 0x7f:
		return 1, false, "a control character"
	case r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
		return 2, true, "a character that reorders what is shown"
	case r >= 0xE0000 && r <= 0xE007F && prev != 0x1F3F4 && (prev < 0xE0000 || prev > 0xE007F):
		return 2, true, "invisible tag characters that spell hidden text"
	case (r == 0x200B || r == 0x2060 || r == 0x180E || r == 0xFEFF && prev != 0) && !cjk(prev):
		return 1.2, true, "an invisible character inside of text"
	case (r == 0x200C || r == 0x200D || r == 0xAD) && prev < 0x250:
		return 1.2, r != 0xAD, "an invisible joiner between Latin letters"
	case r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000:
		return .8, false, "a private-use character that means something else elsewhere"
	}
	return 0, false, ""
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
				list = append(list, Finding{Rule: "look-alike", Weight: 1.1, Field: f.path, Start: -1, End: -1, Text: clip(word),
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
				return []Finding{{Rule: "padding", Weight: 1, Field: f.path, Start: at, End: at + len(gap), Text: "…",
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
		words := decoded(f.text)
		if len(words) == 0 {
			continue
		}
		found := Finding{Rule: "encoded", Weight: .4, Field: f.path, Start: -1, End: -1, Text: clip(words[0]),
			Why: "holds encoded words", Do: "read the decoded text; honest definitions say what they mean"}
		if ordersIn(words) {
			found.Weight, found.Block = 1.2, true
		}
		return []Finding{found}
	}
	return nil
}

// ordersIn reports whether any of texts is what the directive, concealment,
// exfiltration or command rules look for.
func ordersIn(texts []string) bool {
	for _, text := range texts {
		hidden := subject{fields: []field{{text: text, prose: true, forms: []string{strings.ToLower(text)}}}}
		for _, r := range slices.Concat(directiveRules, concealRules, exfiltrationRules, commandRules) {
			if len(r.scan(&hidden)) > 0 {
				return true
			}
		}
	}
	return false
}
