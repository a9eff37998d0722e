// Package jsonc edits JSON with comments and trailing commas in place: what an
// edit does not name stays byte for byte as it was, comments, order and layout
// too.
package jsonc

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

var bom = []byte("\xef\xbb\xbf")

// maxDepth keeps a hostile file from exhausting the parser's stack.
const maxDepth = 1000

// Document is a parsed file whose root is an object.
type Document struct {
	// Text is the file without byte order mark; it ends with a newline where the
	// parser needs one.
	Text []byte
	Root hujson.Value // an *Object, or no Value at all if the file holds none

	bom     bool
	newline bool // Text ends with a newline that the file does not have
}

// SyntaxError is why a text is no document. Line and Column count from 1; 0 is
// unknown. It quotes nothing of the text but a single character.
type SyntaxError struct {
	Line, Column int
	Message      string
}

// Error returns place and message.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, max(e.Column, 1), e.Message)
}

// Parse reads any text. Its error is a [*SyntaxError].
func Parse(data []byte) (*Document, error) {
	text, hasBOM := bytes.CutPrefix(data, bom)
	d := &Document{Text: bytes.Clone(text), bom: hasBOM}
	if i := invalidUTF8(text); i >= 0 {
		return nil, syntaxFault(text, i, "is not UTF-8 text")
	}
	if i := tooDeep(text); i >= 0 {
		return nil, syntaxFault(text, i, "is nested too deeply")
	}
	if len(text) > 0 && text[len(text)-1] != '\n' { // the parser wants every line comment ended
		d.Text, d.newline = append(d.Text, '\n'), true
	}
	if isExtra(d.Text) {
		return d, nil
	}
	root, err := hujson.Parse(d.Text)
	if err != nil {
		return nil, translate(err)
	}
	if root.Value.Kind() != '{' {
		return nil, &SyntaxError{Line: LineOf(d.Text, root.StartOffset), Message: "the file must hold an object { ... }"}
	}
	d.Root = root
	return d, nil
}

// Bytes returns the text as the file has it. The slice is the caller's.
func (d *Document) Bytes() []byte {
	out := d.Text
	if d.newline {
		out = bytes.TrimSuffix(out, []byte("\n"))
	}
	if d.bom {
		return append(bytes.Clone(bom), out...)
	}
	return bytes.Clone(out)
}

// isExtra reports whether text is nothing but whitespace and comments.
func isExtra(text []byte) bool { return hujson.Extra(text).IsValid() }

// LineOf is the line of offset in text, counted from 1.
func LineOf(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), len(text))], []byte("\n"))
}

// Literal is the text of a string, number, boolean or null.
func Literal(v hujson.Value) string { return v.Value.(hujson.Literal).String() }

func syntaxFault(text []byte, offset int, message string) error {
	column := offset - bytes.LastIndexByte(text[:offset], '\n')
	return &SyntaxError{Line: LineOf(text, offset), Column: column, Message: message}
}

var position = regexp.MustCompile(`^hujson: line (\d+), column (\d+): (?s:(.*))$`)

// translate turns the parser's error into one that leaks no text: the parser
// quotes whole literals, and a missing quote can make a token part of one.
func translate(err error) error {
	m := position.FindStringSubmatch(err.Error())
	if m == nil {
		return &SyntaxError{Message: "is not valid JSON with comments"}
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	message := m[3]
	switch {
	case strings.HasPrefix(message, "invalid literal"):
		message = "not a valid string, number, true, false or null (is a quote missing?)"
	case strings.Contains(message, "unexpected EOF"):
		message = fmt.Sprintf("the file ends while %s", strings.TrimSuffix(message, ": unexpected EOF"))
	}
	return &SyntaxError{Line: line, Column: column, Message: message}
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// tooDeep returns where brackets are nested deeper than maxDepth, or -1. It
// counts those in strings and comments too, which real files balance or use
// sparingly.
func tooDeep(text []byte) int {
	depth := 0
	for i, c := range text {
		switch c {
		case '[', '{':
			if depth++; depth > maxDepth {
				return i
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return -1
}
