package proxy

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"mcpproxy/internal/escape"
)

const (
	envelope  = `{"tools":[],"note":}`
	reserved  = 220 // characters kept free for the note about what was shortened
	perHit    = 12  // characters around the fragment and the score of one hit
	shortNote = "tool_response_limit leaves no room for an answer"
)

// fit renders the answer of retrieve_tools in at most limit characters; 0
// means no limit. The lowest ranks are shortened first: to signature and first
// sentence, then to the id, and only then left out. The result always parses.
func fit(hits []found, limit int, note string) []byte {
	if limit <= 0 || size(hits, note) <= limit {
		return render(hits, note)
	}
	asked := len(hits)
	room := limit - reserved
	for _, to := range []form{full, compact, nameOnly} {
		for i := len(hits) - 1; i >= 0 && size(hits, note) > room; i-- {
			hits[i].form = max(hits[i].form, to)
		}
	}
	for len(hits) > 0 && size(hits, note) > room {
		hits = hits[:len(hits)-1]
	}
	note = joinNotes(note, shortened(hits, asked, limit))
	if size(hits, note) > limit {
		hits, note = nil, escape.Clip(note, max(limit-len(envelope)-20, len(shortNote)))
	}
	if size(hits, note) > limit {
		note = shortNote
	}
	return render(hits, note)
}

func shortened(hits []found, asked, limit int) string {
	short := 0
	for _, h := range hits {
		if h.form >= compact {
			short++
		}
	}
	text := fmt.Sprintf("To fit %d characters %d of %d tools are shortened", limit, short, len(hits))
	if cut := asked - len(hits); cut > 0 {
		text += fmt.Sprintf(" and %d left out", cut)
	}
	return text + `. For one whole definition ask again with limit 1 and the tool's name as query.`
}

func joinNotes(a, b string) string {
	return strings.TrimSpace(a + " " + b)
}

// size counts the characters of render's answer.
func size(hits []found, note string) int {
	n := len(envelope) + utf8.RuneCount(quote(note))
	for _, h := range hits {
		n += h.def.form(h.form).runes + len(scoreText(h.score)) + perHit
	}
	return n
}

func render(hits []found, note string) []byte {
	var b bytes.Buffer
	b.Grow(2 * size(hits, note))
	b.WriteString(`{"tools":[`)
	for i, h := range hits {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(h.def.form(h.form).json)
		b.WriteString(`,"score":`)
		b.WriteString(scoreText(h.score))
		b.WriteByte('}')
	}
	b.WriteByte(']')
	if note != "" {
		b.WriteString(`,"note":`)
		b.Write(quote(note))
	}
	b.WriteByte('}')
	return b.Bytes()
}

func scoreText(score float64) string {
	if math.IsNaN(score) || math.IsInf(score, 0) {
		score = 0
	}
	return strconv.FormatFloat(score, 'f', 4, 64)
}
