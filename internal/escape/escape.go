// Package escape makes foreign text safe to show to people: on a terminal, in a
// log, on a page. What could move the cursor, hide text or reorder it becomes
// visible as its code point; nothing is dropped.
package escape

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s on one line: every character that is not plainly visible is
// written as <U+XXXX>, line breaks and tabs included. A byte that is not UTF-8 is
// written as <0xXX>.
func Line(s string) string { return visible(s, false) }

// Text is Line but keeps line feeds and tabs, for text of several lines.
func Text(s string) string { return visible(s, true) }

func visible(s string, lines bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "<0x%02X>", s[i])
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case shown(r):
			b.WriteString(s[i : i+n])
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
		i += n
	}
	return b.String()
}

// plain reports whether s is printable ASCII, which is most of what passes.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// shown reports whether a reader sees r as itself: letters, marks, digits,
// punctuation, symbols and the ASCII space. What Unicode calls control, format,
// private, unassigned or white space is not, nor are characters that are drawn
// as nothing.
func shown(r rune) bool {
	return r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) && !blank(r)
}

// blank reports whether r belongs to a graphic category and yet has no glyph
// (Default_Ignorable_Code_Point and the blank braille cell).
func blank(r rune) bool {
	switch {
	case r == 0x034f, // combining grapheme joiner
		r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, // Hangul fillers
		r == 0x17b4, r == 0x17b5, // Khmer inherent vowels
		r == 0x2800,                  // braille blank
		r >= 0x180b && r <= 0x180f,   // Mongolian variation selectors
		r >= 0xfe00 && r <= 0xfe0e,   // variation selectors 1-15; 16 makes emoji
		r >= 0xe0100 && r <= 0xe01ef: // variation selectors supplement
		return true
	}
	return false
}
