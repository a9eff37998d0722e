package quarantine

import (
	"strings"
	"unicode/utf8"

	"mcpproxy/internal/escape"
)

// Marks are put around what goes and what comes, such as colours.
type Marks struct{ Gone, GoneEnd, Come, ComeEnd string }

// PlainMarks write a diff without colours.
var PlainMarks = Marks{"[-", "-]", "{+", "+}"}

// Bounds of what a diff shows besides what comes, which is never shortened.
const (
	keptAround = 60  // characters of unchanged text on each side of a change
	keptGone   = 600 // characters of one run of words that goes

	shortChange = 100 // characters: neighbours up to this share lines
)

// Lines writes d for a reviewer, one paragraph for each change or run of short
// ones, wrapped at width columns. Unchanged text far from a change, and long runs that go, are
// shortened to an ellipsis; what comes is shown in full. Control and invisible
// characters are written as code points.
func (d Difference) Lines(width int, m Marks) []string {
	var paragraphs []string
	short := false // the last paragraph may take another short change
	before := ""
	for _, c := range d.Changes {
		text := escape.Line(relative(c.Path, before)) + ": " + c.text(m)
		before = c.Path
		fits := utf8.RuneCountInString(text) <= shortChange
		if n := len(paragraphs); short && fits {
			paragraphs[n-1] += "; " + text
		} else {
			paragraphs = append(paragraphs, text)
		}
		short = fits
	}
	var lines []string
	for _, text := range paragraphs {
		lines = append(lines, wrap(text, width)...)
	}
	return lines
}

// relative writes "…" for the parents that path shares with the one before it.
func relative(path, before string) string {
	shared := 0
	for i := range min(len(path), len(before)) {
		if path[i] != before[i] {
			break
		}
		if path[i] == '.' {
			shared = i
		}
	}
	if shared == 0 {
		return path
	}
	return "…" + path[shared:]
}

func (c Change) text(m Marks) string {
	var b strings.Builder
	for i, p := range c.Words {
		text := escape.Line(p.Text)
		switch p.Op {
		case "-":
			b.WriteString(m.Gone + shorten(text, keptGone/2, keptGone/2) + m.GoneEnd)
		case "+":
			b.WriteString(m.Come + text + m.ComeEnd)
		default:
			before, after := keptAround, keptAround
			if i == 0 {
				before = 0
			}
			if i == len(c.Words)-1 {
				after = 0
			}
			b.WriteString(shorten(text, before, after))
		}
	}
	return b.String()
}

// shorten keeps head characters at the beginning and tail at the end.
func shorten(text string, head, tail int) string {
	runes := []rune(text)
	if len(runes) <= head+tail+3 {
		return text
	}
	return string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
}

// wrap breaks text at spaces into lines of at most width characters, those after
// the first indented by two; a longer word has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = "  " + word
			continue
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
