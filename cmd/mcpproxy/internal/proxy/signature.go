package proxy

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

const (
	maxSignature = 400 // characters
	maxSentence  = 160
)

// signature renders a tool like a function, required parameters first:
// create_issue(owner: string, repo: string, title?: string).
func signature(t tool.Tool) string {
	var schema struct {
		Properties json.RawMessage `json:"properties"`
		Required   []string        `json:"required"`
	}
	if len(t.InputSchema) > 0 {
		_ = json.Unmarshal(t.InputSchema, &schema) // a schema of another shape has no parameters to show
	}
	params, _ := members(schema.Properties)
	slices.SortStableFunc(params, func(a, b member) int {
		return rank(schema.Required, a.Key) - rank(schema.Required, b.Key)
	})
	var b strings.Builder
	b.WriteString(t.ID.Name + "(")
	for i, p := range params {
		text := p.Key
		if !slices.Contains(schema.Required, p.Key) {
			text += "?"
		}
		text += ": " + typeName(p.Value, 2)
		if i > 0 {
			text = ", " + text
		}
		if b.Len()+len(text) > maxSignature {
			b.WriteString(", …")
			break
		}
		b.WriteString(text)
	}
	return b.String() + ")"
}

func rank(required []string, name string) int {
	if slices.Contains(required, name) {
		return 0
	}
	return 1
}

// typeName is the short name of what a parameter's schema admits.
func typeName(raw json.RawMessage, depth int) string {
	var s struct {
		Type  any               `json:"type"`
		Enum  []json.RawMessage `json:"enum"`
		Items json.RawMessage   `json:"items"`
	}
	if json.Unmarshal(raw, &s) != nil {
		return "any"
	}
	if n := len(s.Enum); n > 0 && n <= 6 {
		names := make([]string, n)
		for i, e := range s.Enum {
			names[i] = string(e)
		}
		if text := strings.Join(names, "|"); len(text) <= 80 {
			return text
		}
	}
	switch kind := s.Type.(type) {
	case string:
		if kind == "array" && len(s.Items) > 0 && depth > 0 {
			return typeName(s.Items, depth-1) + "[]"
		}
		return escape.Clip(kind, 20)
	case []any:
		var names []string
		for _, k := range kind {
			if name, ok := k.(string); ok {
				names = append(names, escape.Clip(name, 20))
			}
		}
		return strings.Join(names, "|")
	default:
		return "any"
	}
}

// firstSentence is the first sentence of the first paragraph, at most
// maxSentence characters.
func firstSentence(text string) string {
	text = strings.TrimSpace(text)
	if line, _, found := strings.Cut(text, "\n"); found {
		text = strings.TrimSpace(line)
	}
	for i := 0; i < len(text); i++ {
		end := text[i] == '.' || text[i] == '!' || text[i] == '?'
		if end && i+1 < len(text) && text[i+1] == ' ' && utf8.RuneCountInString(text[:i]) > 15 {
			text = text[:i+1]
			break
		}
	}
	return escape.Clip(text, maxSentence)
}
