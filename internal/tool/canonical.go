package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting that [Canonical] follows; deeper text is refused.
const maxDepth = 512

// ErrNotCanonical is wrapped by every error of [Canonical].
var ErrNotCanonical = errors.New("no canonical form")

var errDepth = errors.New("nested too deep")

// Canonical returns raw with object keys sorted by their bytes, without white
// space, strings in Go's minimal escaping and numbers by their literal text (so
// 2^60 and 1.0 keep their digits). Members with equal keys are all kept, in the
// order sent: a parser's choice between them must not hide a change. It returns
// an error wrapping [ErrNotCanonical] if raw is not one JSON value in UTF-8,
// escapes half a surrogate pair, or nests deeper than 512.
func Canonical(raw []byte) ([]byte, error) {
	switch {
	case !utf8.Valid(raw):
		return nil, fmt.Errorf("%w: not UTF-8", ErrNotCanonical)
	case !json.Valid(raw):
		return nil, fmt.Errorf("%w: not one JSON value", ErrNotCanonical)
	case loneSurrogate(raw):
		return nil, fmt.Errorf("%w: half a surrogate pair", ErrNotCanonical)
	}
	c := canon{in: raw, out: make([]byte, 0, len(raw))}
	if err := c.value(0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCanonical, err)
	}
	return c.out, nil
}

// errTwice is what [Plain] returns for an object that says one key twice.
var errTwice = errors.New("an object in it has a key twice")

// Plain returns nil if all who read raw, which is JSON, read the same: no object
// has a key twice, of which a parser takes one and a model reads both, and it nests
// no deeper than 512.
func Plain(raw []byte) error {
	if !json.Valid(raw) {
		return errors.New("it is not one JSON value")
	}
	c := canon{in: raw, out: make([]byte, 0, len(raw))}
	if err := c.value(0); err != nil {
		return err
	}
	if c.twice {
		return errTwice
	}
	return nil
}

// canon rewrites valid JSON: it looks for where things end, not whether they
// are right.
type canon struct {
	in    []byte
	at    int // next byte of in
	out   []byte
	twice bool // an object has two members with equal keys
}

// member is one member of an object: its decoded key, and where out has it.
type member struct {
	key        string
	start, end int
}

// next skips white space and returns the byte there.
func (c *canon) next() byte {
	for c.in[c.at] == ' ' || c.in[c.at] == '\t' || c.in[c.at] == '\n' || c.in[c.at] == '\r' {
		c.at++
	}
	return c.in[c.at]
}

func (c *canon) value(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch c.next() {
	case '{':
		return c.object(depth)
	case '[':
		return c.array(depth)
	case '"':
		_, err := c.text()
		return err
	default: // a number or a word, up to what cannot belong to it
		start := c.at
		for c.at < len(c.in) && !strings.ContainsRune(",]} \t\r\n", rune(c.in[c.at])) {
			c.at++
		}
		c.out = append(c.out, c.in[start:c.at]...)
		return nil
	}
}

func (c *canon) array(depth int) error {
	c.open('[')
	for n := 0; c.next() != ']'; n++ {
		c.comma(n)
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	c.open(']')
	return nil
}

func (c *canon) object(depth int) error {
	c.open('{')
	var members []member
	for n := 0; c.next() != '}'; n++ {
		c.comma(n)
		m := member{start: len(c.out)}
		c.next()
		var err error
		if m.key, err = c.text(); err != nil {
			return err
		}
		c.next()
		c.open(':')
		if err := c.value(depth + 1); err != nil {
			return err
		}
		m.end = len(c.out)
		members = append(members, m)
	}
	c.sort(members)
	for i := 1; i < len(members) && !c.twice; i++ {
		c.twice = members[i].key == members[i-1].key
	}
	c.open('}')
	return nil
}

// open copies one byte of structure.
func (c *canon) open(b byte) {
	c.out = append(c.out, b)
	c.at++
}

// comma copies the comma before every element but the first.
func (c *canon) comma(n int) {
	if n > 0 {
		c.open(',')
		c.next()
	}
}

// sort orders the members at the end of out.
func (c *canon) sort(members []member) {
	byKey := func(a, b member) int { return strings.Compare(a.key, b.key) }
	if slices.IsSortedFunc(members, byKey) {
		return
	}
	first := members[0].start
	sent := slices.Clone(c.out[first:])
	slices.SortStableFunc(members, byKey)
	c.out = c.out[:first]
	for i, m := range members {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, sent[m.start-first:m.end-first]...)
	}
}

// text copies the string at c.at in its canonical escaping and returns it
// decoded.
func (c *canon) text() (string, error) {
	start, plain := c.at, true
	for c.at++; c.in[c.at] != '"'; c.at++ {
		switch c.in[c.at] {
		case '\\':
			plain = false
			c.at++ // what is escaped cannot end the string
		case 0xe2: // maybe U+2028 or U+2029, which Go escapes
			plain = false
		}
	}
	c.at++
	quoted := c.in[start:c.at]
	if plain {
		c.out = append(c.out, quoted...)
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", err
	}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "", err
	}
	c.out = append(c.out, bytes.TrimSuffix(line.Bytes(), []byte("\n"))...)
	return s, nil
}

// loneSurrogate reports whether raw has a \uD800-\uDFFF escape without its other
// half. Decoders replace all of them by one and the same character, which would
// hide a change.
func loneSurrogate(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		r := unicodeEscape(raw[i:])
		if !utf16.IsSurrogate(r) {
			i++ // whatever is escaped, it is no backslash that begins another escape
			continue
		}
		if utf16.DecodeRune(r, unicodeEscape(raw[i+6:])) == unicode.ReplacementChar {
			return true
		}
		i += 11
	}
	return false
}

// unicodeEscape returns the code of the \uXXXX that b begins with, else 0.
func unicodeEscape(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0
	}
	code, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(code)
}
