package config

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

// document is a parsed file. Its text is the file without byte order mark, and
// ends with a newline where the parser needs one.
type document struct {
	text    []byte
	root    hujson.Value // an *Object, or no Value at all if the file holds none
	bom     bool
	newline bool // text ends with a newline that the file does not have
}

// parseDocument reads any text. A syntax error is one [Fault] with line and
// column, which quotes nothing of the file but a single character.
func parseDocument(data []byte) (*document, error) {
	text, hasBOM := bytes.CutPrefix(data, bom)
	d := &document{text: bytes.Clone(text), bom: hasBOM}
	if i := invalidUTF8(text); i >= 0 {
		return nil, syntaxFault(text, i, "is not UTF-8 text")
	}
	if i := tooDeep(text); i >= 0 {
		return nil, syntaxFault(text, i, "is nested too deeply")
	}
	if len(text) > 0 && text[len(text)-1] != '\n' { // the parser wants every line comment ended
		d.text, d.newline = append(d.text, '\n'), true
	}
	if isExtra(d.text) {
		return d, nil
	}
	root, err := hujson.Parse(d.text)
	if err != nil {
		return nil, translate(err)
	}
	if root.Value.Kind() != '{' {
		return nil, Faults{{Line: lineOf(d.text, root.StartOffset), Message: "the file must hold an object { ... }"}}
	}
	d.root = root
	return d, nil
}

// bytes returns text as the file has it.
func (d *document) bytes() []byte {
	out := d.text
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

func syntaxFault(text []byte, offset int, message string) Faults {
	line := lineOf(text, offset)
	column := offset - bytes.LastIndexByte(text[:offset], '\n')
	return Faults{{Line: line, Column: column, Message: message}}
}

var position = regexp.MustCompile(`^hujson: line (\d+), column (\d+): (?s:(.*))$`)

// translate turns the parser's error into a fault that leaks no text: the parser
// quotes whole literals, and a missing quote can make a token part of one.
func translate(err error) Faults {
	m := position.FindStringSubmatch(err.Error())
	if m == nil {
		return Faults{{Message: "is not valid JSON with comments"}}
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
	return Faults{{Line: line, Column: column, Message: message}}
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
