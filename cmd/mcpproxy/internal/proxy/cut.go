package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// around is the room that the JSON around one text block takes.
const around = len(`{"content":[{"type":"text","text":""}],"isError":true}`) + len("\n\n")*2

// block is one element of a result's content.
type block struct {
	raw  json.RawMessage
	kind string
	mime string
	text string
	kept bool // goes into the cut answer as it is
}

// cut returns raw if it is at most limit characters long, all of it counted;
// else it keeps the whole for read_cache and returns a result that begins like
// it, with isError, and says how to read on. 0 means no limit.
func (p *Proxy) cut(raw json.RawMessage, limit int) json.RawMessage {
	if limit <= 0 || len(raw) <= limit || utf8.RuneCount(raw) <= limit {
		return raw
	}
	p.opt.Meter.Truncated()
	top, err := members(raw)
	if err != nil {
		return failure("The answer is not a tool result.", "")
	}
	blocks := readBlocks(get(top, "content"))
	p.replaceLarge(blocks, limit)
	if smaller := assemble(top, contentOf(blocks)); utf8.RuneCount(smaller) <= limit {
		return smaller
	}
	room := limit
	for i, b := range blocks {
		if n := utf8.RuneCount(b.raw); b.kind != "text" && n <= room/4 {
			blocks[i].kept = true
			room -= n + 1
		}
	}
	rest, n := otherMembers(top, room/8)
	room -= n
	text := wholeText(blocks, get(top, "structuredContent"))
	if text == "" { // only _meta or unknown members are that long
		text = string(raw)
	}
	doc := newDocument(text, limit/2)
	begin := p.begin(doc, room-around)
	content := []block{textBlock(begin)}
	for _, b := range blocks {
		if b.kept {
			content = append(content, b)
		}
	}
	return object(append([]member{{"content", contentOf(content)}}, rest...))
}

// begin keeps doc and returns its beginning with the note about the rest, in
// at most room characters of a JSON string where that is possible at all.
func (p *Proxy) begin(doc *document, room int) string {
	key, kept := p.pages.put(doc)
	room -= quotedLength(cutNote(doc, doc.total(), key, kept))
	text, shown := doc.slice(0, doc.total(), room)
	return text + "\n\n" + cutNote(doc, shown, key, kept)
}

func cutNote(doc *document, shown int, key string, kept bool) string {
	size := fmt.Sprintf("%d characters", doc.runes)
	if doc.records != nil {
		size += fmt.Sprintf(" in %d records", len(doc.records))
	}
	if !kept {
		return fmt.Sprintf("[mcpproxy: cut; the whole is %s, too long to keep. Next: ask the tool for less at once.]", size)
	}
	return fmt.Sprintf("[mcpproxy: cut after %d of %d %s; the whole is %s. Next: read_cache with {\"key\":%q,\"offset\":%d}]",
		shown, doc.total(), doc.unit(), size, key, shown)
}

// otherMembers returns what a result holds beside its content, as far as it
// fits budget characters, and how many it takes.
func otherMembers(top []member, budget int) (rest []member, used int) {
	for _, m := range top {
		if m.Key == "content" || m.Key == "structuredContent" {
			continue
		}
		n := utf8.RuneCount(m.Value) + utf8.RuneCountInString(m.Key) + len(`"":,`)
		if m.Key == "isError" {
			rest = append(rest, m) // its room is part of around
		} else if used+n <= budget {
			rest = append(rest, m)
			used += n
		}
	}
	return rest, used
}

// slice renders at most count units from offset on, in at most budget
// characters of a JSON string, and returns how many they are: at least one.
func (d *document) slice(offset, count, budget int) (text string, n int) {
	offset = min(max(offset, 0), d.total())
	count = min(count, d.total()-offset)
	if d.records == nil {
		return cutText(skipRunes(d.text, offset), count, budget)
	}
	var b strings.Builder
	b.WriteString(d.head)
	used := quotedLength(d.head) + quotedLength(d.tail)
	for n < count {
		record := string(d.records[offset+n])
		cost := quotedLength(record) + len(",")
		if used+cost > budget && n > 0 {
			break
		}
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(record)
		used += cost
		n++
	}
	b.WriteString(d.tail)
	return b.String(), n
}

// cutText returns the first characters of text, at most count and as many as
// fit budget once quoted, but at least one.
func cutText(text string, count, budget int) (string, int) {
	n, used := 0, 0
	for i, r := range text {
		used += quotedCost(r)
		if n == count || n > 0 && used > budget {
			return text[:i], n
		}
		n++
	}
	return text, n
}

func skipRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[i:]
		}
		n--
	}
	return ""
}

// quotedCost is how many characters r takes inside a JSON string.
func quotedCost(r rune) int {
	switch {
	case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t' || r == '\b' || r == '\f':
		return 2
	case r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029' || r == utf8.RuneError:
		return 6
	}
	return 1
}

func quotedLength(text string) int {
	n := 0
	for _, r := range text {
		n += quotedCost(r)
	}
	return n
}

func readBlocks(content json.RawMessage) []block {
	var raws []json.RawMessage
	if json.Unmarshal(content, &raws) != nil {
		return nil
	}
	blocks := make([]block, len(raws))
	for i, raw := range raws {
		blocks[i] = block{raw: raw}
		list, err := members(raw)
		if err != nil {
			continue
		}
		_ = json.Unmarshal(get(list, "type"), &blocks[i].kind) // another type of value is an unknown kind
		_ = json.Unmarshal(get(list, "mimeType"), &blocks[i].mime)
		if blocks[i].kind == "text" {
			_ = json.Unmarshal(get(list, "text"), &blocks[i].text)
		}
	}
	return blocks
}

// replaceLarge puts a note in the place of every block other than text that
// would take more than half of the answer, and keeps the block.
func (p *Proxy) replaceLarge(blocks []block, limit int) {
	for i, b := range blocks {
		n := utf8.RuneCount(b.raw)
		if b.kind == "text" || n <= limit/2 {
			continue
		}
		what := strings.TrimSpace(plainText(b.kind+" "+b.mime, 60))
		doc := newDocument(string(b.raw), 0)
		note := fmt.Sprintf("[mcpproxy: %s of %d characters left out, too long to keep]", what, n)
		if key, ok := p.pages.put(doc); ok {
			note = fmt.Sprintf("[mcpproxy: %s of %d characters left out. Next: read_cache with {\"key\":%q}]", what, n, key)
		}
		blocks[i] = textBlock(note)
	}
}

func textBlock(text string) block {
	var b bytes.Buffer
	writeText(&b, text)
	return block{raw: b.Bytes(), kind: "text", text: text}
}

// wholeText is all that the cut answer does not hold as it was: the text, other
// blocks as their JSON, and the structured content unless a block says the same.
func wholeText(blocks []block, structured json.RawMessage) string {
	var parts []string
	said := structured == nil
	for _, b := range blocks {
		if b.kept {
			continue
		}
		if b.kind != "text" {
			parts = append(parts, string(b.raw))
			continue
		}
		parts = append(parts, b.text)
		said = said || sameJSON(b.text, structured)
	}
	if !said {
		parts = append(parts, string(structured))
	}
	return strings.Join(parts, "\n\n")
}

func sameJSON(text string, raw json.RawMessage) bool {
	var a, b bytes.Buffer
	return json.Compact(&a, []byte(text)) == nil && json.Compact(&b, raw) == nil && bytes.Equal(a.Bytes(), b.Bytes())
}

// assemble returns top with other content.
func assemble(top []member, content json.RawMessage) json.RawMessage {
	return object(set(append([]member(nil), top...), "content", content))
}

func contentOf(blocks []block) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, c := range blocks {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(c.raw)
	}
	b.WriteByte(']')
	return b.Bytes()
}
