package tool

import (
	"bytes"
	"encoding/json"
	"time"
)

// stable returns raw without what changes by itself and says nothing: of a
// resource its size and annotations.lastModified (MCP 2025-11-25, Resource),
// where they are a plain number and a plain time. Everything else counts, and so
// do they when they are written twice or as anything else.
func stable(kind Kind, raw json.RawMessage) json.RawMessage {
	if kind != Resource {
		return raw
	}
	kept, ok := without(raw, "size", isCount)
	if !ok {
		return raw
	}
	return replaced(kept, "annotations", func(a json.RawMessage) json.RawMessage {
		if rest, ok := without(a, "lastModified", isTime); ok {
			return rest
		}
		return a
	})
}

// isCount reports whether raw is a number in digits alone, of a sane length.
func isCount(raw json.RawMessage) bool {
	return len(raw) <= 20 && len(bytes.Trim(raw, "0123456789")) == 0
}

func isTime(raw json.RawMessage) bool {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && len(text) <= 40
}

// without returns the object raw without member key, if that is there at most
// once and fits. ok is false if raw is no object.
func without(raw json.RawMessage, key string, fits func(json.RawMessage) bool) (rest json.RawMessage, ok bool) {
	list, ok := fieldsOf(raw)
	if !ok {
		return nil, false
	}
	var kept []field
	dropped := 0
	for _, f := range list {
		if f.key == key {
			dropped++
			if !fits(f.value) {
				return raw, true
			}
			continue
		}
		kept = append(kept, f)
	}
	if dropped != 1 {
		return raw, true
	}
	return joined(kept), true
}

// replaced returns the object raw with every member key replaced by change.
func replaced(raw json.RawMessage, key string, change func(json.RawMessage) json.RawMessage) json.RawMessage {
	list, ok := fieldsOf(raw)
	if !ok {
		return raw
	}
	for i := range list {
		if list[i].key == key {
			list[i].value = change(list[i].value)
		}
	}
	return joined(list)
}

// field is one member of an object, its key also as it was written.
type field struct {
	key    string
	quoted []byte
	value  json.RawMessage
}

// fieldsOf returns the members of the object raw, repeated ones too.
func fieldsOf(raw json.RawMessage) ([]field, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, false
	}
	var list []field
	for d.More() {
		from := d.InputOffset()
		tok, err := d.Token()
		key, isKey := tok.(string)
		if err != nil || !isKey {
			return nil, false
		}
		f := field{key: key, quoted: bytes.TrimLeft(raw[from:d.InputOffset()], ", \t\r\n")}
		if d.Decode(&f.value) != nil {
			return nil, false
		}
		list = append(list, f)
	}
	_, err := d.Token()
	return list, err == nil
}

func joined(list []field) json.RawMessage {
	b := []byte{'{'}
	for i, f := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, f.quoted...), ':'), f.value...)
	}
	return append(b, '}')
}
