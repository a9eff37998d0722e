package escape

import (
	"strings"
	"unicode/utf8"
)

// Clip cuts s to at most limit characters, the last of which then is "…".
func Clip(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return s[:i] + "…"
		}
	}
	return s
}

// Short is foreign text within a sentence of ours: on one line, with a space for
// every character that a reader would not see, and at most limit characters.
func Short(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if shown(r) {
			return r
		}
		return ' '
	}, s)
	return Clip(strings.TrimSpace(s), limit)
}
