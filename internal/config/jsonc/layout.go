package jsonc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// Everything in this file cuts text by the offsets of the syntax tree, so that
// what is not cut stays byte for byte as it was.

// container is an array or object in the text.
type container struct {
	open, close int // offsets of its brackets
	items       []item
}

// item is one element or member. comma is the offset of the comma after it, or
// -1 if there is none.
type item struct{ start, end, comma int }

func containerOf(v hujson.Value) container {
	c := container{open: v.StartOffset, close: v.EndOffset - 1}
	add := func(start int, v hujson.Value, last bool) {
		it := item{start, v.EndOffset, -1}
		if !last || v.AfterExtra != nil { // the parser's mark of a trailing comma
			it.comma = v.EndOffset + len(v.AfterExtra)
		}
		c.items = append(c.items, it)
	}
	switch v := v.Value.(type) {
	case *hujson.Array:
		for i, e := range v.Elements {
			add(e.StartOffset, e, i == len(v.Elements)-1)
		}
	case *hujson.Object:
		for i, m := range v.Members {
			add(m.Name.StartOffset, m.Value, i == len(v.Members)-1)
		}
	}
	return c
}

// layout is how one piece of text is set.
type layout struct {
	newline string // "\n" or "\r\n"
	unit    string // one step of indentation
	indent  string // of the line that the piece begins on
	inline  bool   // keep it on one line
	pad     string // inside the braces of a one-line object
}

// insert returns text with a new last item in c. render is told how to set it.
func insert(text []byte, c container, base layout, render func(layout) string) []byte {
	if len(c.items) == 0 {
		return insertFirst(text, c, base, render)
	}
	last := c.items[len(c.items)-1]
	indent, own := lineIndent(text, last.start)
	l := imitate(text, last, base)
	if !own {
		piece := render(l)
		if last.comma < 0 {
			return splice(text, last.end, last.end, ", "+piece)
		}
		return splice(text, last.comma+1, last.comma+1, " "+piece+",")
	}
	l.indent = indent
	piece := base.newline + indent + render(l)
	if last.comma >= 0 {
		at := lineTail(text, last.comma+1)
		return splice(text, at, at, piece+",")
	}
	at := lineTail(text, last.end)
	return splice(splice(text, at, at, piece), last.end, last.end, ",")
}

// insertFirst gives an empty container its first item, on a line of its own.
func insertFirst(text []byte, c container, base layout, render func(layout) string) []byte {
	outer := indentAt(text, c.open)
	inner := text[c.open+1 : c.close]
	l := base
	l.indent = outer + base.unit
	kept := bytes.TrimRight(inner, " \t\r\n")
	if len(kept) == 0 {
		return splice(text, c.open+1, c.close, base.newline+l.indent+render(l)+base.newline+outer)
	}
	if first := bytes.TrimLeft(kept, " \t\r\n"); bytes.IndexByte(inner[:len(inner)-len(bytes.TrimLeft(inner, " \t\r\n"))], '\n') >= 0 {
		if indent, own := lineIndent(text, c.open+1+len(kept)-len(first)); own {
			l.indent = indent // as the comments there are set
		}
	}
	at := c.open + 1 + len(kept)
	if !bytes.Contains(text[at:c.close], []byte("\n")) {
		l.inline = true
		return splice(text, at, at, " "+render(l))
	}
	return splice(text, at, at, base.newline+l.indent+render(l))
}

// imitate derives from the text of a neighbour how a new item is set.
func imitate(text []byte, it item, base layout) layout {
	l := base
	l.indent = indentAt(text, it.start)
	body := text[it.start:it.end]
	l.inline = !bytes.Contains(body, []byte("\n"))
	if i := bytes.IndexByte(body, '{'); i >= 0 && i+1 < len(body) && body[i+1] != ' ' {
		l.pad = ""
	}
	return l
}

// remove returns text without item i of c: its line, with a comment behind it,
// goes where it had one of its own; comments above it stay.
func remove(text []byte, c container, i int) []byte {
	it := c.items[i]
	from, to := it.start, it.end
	if it.comma >= 0 {
		to = it.comma + 1
	}
	_, own := lineIndent(text, from)
	if tail := lineTail(text, to); own {
		to = tail
	}
	lineEnds := atLineEnd(text, to)
	from = cutStart(text, c, i, lineEnds)
	if !own && i == 0 || own && !lineEnds && i+1 < len(c.items) {
		to = skipBlanks(text, to)
	}
	if i > 0 && i == len(c.items)-1 && it.comma < 0 {
		comma := c.items[i-1].comma
		text = splice(text, from, to, "")
		return splice(text, comma, comma+1, "")
	}
	out := splice(text, from, to, "")
	if len(c.items) == 1 {
		return collapse(out, c.open, c.close-(to-from))
	}
	return out
}

// cutStart is where the removal of item i begins: with the newline before it if
// the line goes as a whole, else with the blanks before it.
func cutStart(text []byte, c container, i int, lineEnds bool) int {
	start := c.items[i].start
	from := len(bytes.TrimRight(text[:start], " \t"))
	if from == 0 || text[from-1] != '\n' {
		if i == 0 {
			return start
		}
		return from
	}
	last := i == len(c.items)-1
	if !lineEnds && (!last || endsInLineComment(text, c.open, from-1)) {
		return start
	}
	from--
	if from > 0 && text[from-1] == '\r' {
		from--
	}
	return from
}

// endsInLineComment reports whether the line that ends at newline may hold a
// line comment, which needs that newline.
func endsInLineComment(text []byte, open, newline int) bool {
	begin := max(bytes.LastIndexByte(text[:newline], '\n')+1, open)
	return bytes.Contains(text[begin:newline], []byte("//"))
}

// collapse drops what is left between the brackets if it is blank.
func collapse(text []byte, open, end int) []byte {
	if len(bytes.TrimSpace(text[open+1:end])) == 0 {
		return splice(text, open+1, end, "")
	}
	return text
}

func splice(text []byte, from, to int, with string) []byte {
	out := make([]byte, 0, len(text)+len(with))
	out = append(out, text[:from]...)
	out = append(out, with...)
	return append(out, text[to:]...)
}

// indentAt returns the blanks that begin the line of offset.
func indentAt(text []byte, offset int) string {
	line := text[bytes.LastIndexByte(text[:offset], '\n')+1 : offset]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// lineIndent is indentAt, and whether nothing but the blanks is before offset.
func lineIndent(text []byte, offset int) (string, bool) {
	begin := bytes.LastIndexByte(text[:offset], '\n') + 1
	line := text[begin:offset]
	return indentAt(text, offset), begin > 0 && len(bytes.Trim(line, " \t")) == 0
}

func skipBlanks(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	return at
}

func atLineEnd(text []byte, at int) bool {
	rest := text[skipBlanks(text, at):]
	return len(rest) == 0 || rest[0] == '\n' || bytes.HasPrefix(rest, []byte("\r\n"))
}

// lineTail returns the end of the comments that follow at on its line, if
// nothing else does; else at.
func lineTail(text []byte, at int) int {
	end := at
	for {
		i := skipBlanks(text, end)
		rest := text[i:]
		switch {
		case len(rest) == 0 || rest[0] == '\n' || bytes.HasPrefix(rest, []byte("\r\n")):
			return end
		case bytes.HasPrefix(rest, []byte("//")):
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			return i + len(bytes.TrimRight(line, " \t\r"))
		case bytes.HasPrefix(rest, []byte("/*")):
			body, _, ok := bytes.Cut(rest, []byte("*/"))
			if !ok || bytes.Contains(body, []byte("\n")) {
				return at
			}
			end = i + len(body) + len("*/")
		default:
			return at
		}
	}
}

// render sets an object of fields, or any other value on one line.
func renderObject(fields []Field, l layout) (string, error) {
	if len(fields) == 0 {
		return "{}", nil
	}
	parts := make([]string, len(fields))
	for i, f := range fields {
		part, err := renderMember(f)
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	if l.inline {
		return "{" + l.pad + strings.Join(parts, ", ") + l.pad + "}", nil
	}
	step := l.newline + l.indent + l.unit
	return "{" + step + strings.Join(parts, ","+step) + l.newline + l.indent + "}", nil
}

func renderMember(f Field) (string, error) {
	key, err := renderValue(f.Key)
	if err != nil {
		return "", err
	}
	value, err := renderValue(f.Value)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Key, err)
	}
	return key + ": " + value, nil
}

// renderValue is JSON on one line with a space after each comma and colon.
func renderValue(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	tree, err := hujson.Parse(bytes.TrimSpace(b.Bytes()))
	if err != nil {
		return "", err
	}
	tree.Minimize()
	for v := range tree.All() {
		switch c := v.Value.(type) {
		case *hujson.Object:
			for i := range c.Members {
				if i > 0 {
					c.Members[i].Name.BeforeExtra = hujson.Extra(" ")
				}
				c.Members[i].Value.BeforeExtra = hujson.Extra(" ")
			}
		case *hujson.Array:
			for i := 1; i < len(c.Elements); i++ {
				c.Elements[i].BeforeExtra = hujson.Extra(" ")
			}
		}
	}
	return string(tree.Pack()), nil
}
