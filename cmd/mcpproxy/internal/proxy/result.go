package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// textResult returns a CallToolResult of text blocks.
func textResult(texts ...string) json.RawMessage {
	var b bytes.Buffer
	b.WriteString(`{"content":[`)
	for i, text := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		writeText(&b, text)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func writeText(b *bytes.Buffer, text string) {
	b.WriteString(`{"type":"text","text":`)
	b.Write(quote(text))
	b.WriteByte('}')
}

// structuredResult returns a CallToolResult whose structuredContent is payload
// and whose only text block is the same JSON.
func structuredResult(payload []byte) json.RawMessage {
	text := quote(string(payload))
	var b bytes.Buffer
	b.Grow(len(text) + len(payload) + 80)
	b.WriteString(`{"content":[{"type":"text","text":`)
	b.Write(text)
	b.WriteString(`}],"structuredContent":`)
	b.Write(payload)
	b.WriteByte('}')
	return b.Bytes()
}

// structured is structuredResult of v, which encoding/json must be able to write.
func structured(v any) json.RawMessage {
	payload, err := json.Marshal(v)
	if err != nil {
		return failure("internal error: "+err.Error(), "")
	}
	return structuredResult(payload)
}

// failure returns a CallToolResult with isError. Its text says the cause and,
// where next is not empty, what to do about it.
func failure(cause, next string) json.RawMessage {
	if next != "" {
		cause += "\nNext: " + next
	}
	var b bytes.Buffer
	b.WriteString(`{"content":[`)
	writeText(&b, cause)
	b.WriteString(`],"isError":true}`)
	return b.Bytes()
}

func failuref(next, format string, args ...any) json.RawMessage {
	return failure(fmt.Sprintf(format, args...), next)
}
