package audit

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
)

// visible writes characters of JSON text that a reader would not see (C1, bidi
// marks, zero-width and tag characters) as \u escapes, which decode to the same:
// somebody will look at the file in a terminal.
func visible(text []byte) []byte {
	hidden := func(r rune) bool { return r > 0x7e && (unicode.Is(unicode.C, r) || r == 0x7f) }
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
