package index

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// Fields of a document, in the order of [Explain].
const (
	fieldName = iota
	fieldTitle
	fieldDescription
	fieldParam     // names of parameters and values of their enums
	fieldParamText // their titles and descriptions
	fieldServer
	numFields
)

var fieldNames = [numFields]string{"name", "title", "description", "parameter", "parameter description", "server"}

// Caps of the schema walk: a schema is foreign text and may be huge, deep or
// padded to win searches.
const (
	maxSchemaBytes = 1 << 20 // a larger schema is not read for ranking
	maxSchemaDepth = 8
	maxParams      = 128  // parameter names and enum values
	maxParamBytes  = 8192 // of parameter descriptions
)

// schemaText is what a JSON Schema says in words.
type schemaText struct {
	params []string
	notes  []string
	bytes  int
}

// readSchema collects property names, enum values, titles and descriptions, in
// the order of sorted keys, of nested properties, items, alternatives and
// definitions too, within the caps above. What is no schema gives nothing.
func readSchema(raw json.RawMessage) schemaText {
	var text schemaText
	var root any
	if len(raw) == 0 || len(raw) > maxSchemaBytes || json.Unmarshal(raw, &root) != nil {
		return text
	}
	if m, ok := root.(map[string]any); ok {
		delete(m, "title") // of the arguments object: says "Arguments" or the tool's name again
		delete(m, "description")
		text.walk(m, 0)
	}
	return text
}

func (t *schemaText) walk(node any, depth int) {
	if depth > maxSchemaDepth || t.full() {
		return
	}
	switch v := node.(type) {
	case []any:
		for _, sub := range v {
			t.walk(sub, depth+1)
		}
	case map[string]any:
		t.note(v["title"])
		t.note(v["description"])
		t.enum(v["enum"])
		t.enum([]any{v["const"]})
		t.children(v["properties"], depth, true)
		for _, key := range [...]string{"items", "anyOf", "oneOf", "allOf", "prefixItems", "additionalProperties"} {
			t.walk(v[key], depth+1)
		}
		t.children(v["$defs"], depth, false)
		t.children(v["definitions"], depth, false)
	}
}

func (t *schemaText) children(node any, depth int, named bool) {
	m, ok := node.(map[string]any)
	if !ok {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if named && !t.full() {
			t.params = append(t.params, key)
		}
		t.walk(m[key], depth+1)
	}
}

func (t *schemaText) note(v any) {
	if s, ok := v.(string); ok && s != "" && t.bytes < maxParamBytes {
		s = clip(s, maxParamBytes-t.bytes)
		t.notes = append(t.notes, s)
		t.bytes += len(s)
	}
}

func (t *schemaText) enum(v any) {
	values, _ := v.([]any)
	for _, value := range values {
		if s, ok := value.(string); ok && len(s) <= maxWord && !t.full() {
			t.params = append(t.params, s)
		}
	}
}

func (t *schemaText) full() bool { return len(t.params) >= maxParams }

// clip cuts s to at most n bytes on a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:max(n, 0)], "")
}

// fieldTexts returns the words of t by field.
func fieldTexts(t tool.Tool, schema schemaText) [numFields][]string {
	title := t.Title
	if title == "" {
		title = t.Annotations.Title
	}
	return [numFields][]string{
		fieldName:        {t.ID.Name},
		fieldTitle:       {title},
		fieldDescription: {clip(t.Description, maxDescriptionBytes)},
		fieldParam:       schema.params,
		fieldParamText:   schema.notes,
		fieldServer:      {t.ID.Server},
	}
}
