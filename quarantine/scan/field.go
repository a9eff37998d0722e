package scan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// Caps: a definition is foreign and may be huge. What exceeds them is a finding.
const (
	maxFields = 2000
	maxText   = 24 << 10 // bytes of one field that are read: its beginning and its end
	maxTotal  = 96 << 10 // bytes of one definition that are read
	maxDepth  = 24
)

// kind says what a text is for.
type kind int

const (
	valueText kind = iota // a default, an enum, a const, an example
	proseText             // a description or a title, written for the model
	nameText              // the name of the tool, a parameter or a definition
)

// field is one text of a definition.
type field struct {
	path  string
	text  string
	kind  kind
	value bool   // a default, an enum and the like, though it may read as prose
	forms []form // the text as written first
}

// finding makes a finding of bytes start to end of a form.
func (f *field) finding(key, why string, at, start, end int) Finding {
	found := Finding{key: key, Field: f.path, Start: -1, End: -1, Text: clip(f.forms[at].text[start:end]), Why: why, Do: advice}
	if at == 0 && len(f.forms[0].text) == len(f.text) {
		found.Start, found.End = start, end
	}
	return found
}

// collector gathers the texts of a definition within the caps.
type collector struct {
	out   []field
	total int
	cut   bool // something was left out
}

// fieldsOf collects every string of the definition, and the names of parameters.
// cut tells that there was more than the caps allow.
func fieldsOf(t tool.Tool) (list []field, cut bool) {
	var root map[string]any
	if json.Unmarshal(t.Raw, &root) != nil {
		return nil, false
	}
	c := collector{}
	c.walk("", root, 0)
	if text, ok := root["description"].(string); ok {
		for _, name := range documented(text[:min(len(text), maxText)]) {
			c.add(field{path: "description." + name + " (name)", text: name, kind: nameText})
		}
	}
	own := vocabulary{self: fold(t.ID.Name), params: map[string]bool{}}
	for _, f := range c.out {
		if f.kind == nameText && len(own.params) < maxFields {
			own.params[fold(f.text)] = true
		}
	}
	delete(own.params, own.self)
	number := 1
	for i := range c.out {
		c.out[i].forms = forms(&c.out[i], own)
		for n := range c.out[i].forms {
			c.out[i].forms[n].first = number
			number += len(c.out[i].forms[n].sentences)
		}
	}
	return c.out, c.cut
}

func (c *collector) add(f field) {
	if f.text == "" {
		return
	}
	if c.full() {
		c.cut = true
		return
	}
	if room := min(maxText, maxTotal-c.total); len(f.text) > room {
		c.cut = true
		f.text = strings.ToValidUTF8(f.text[:room*3/4], "") + "\n" + strings.ToValidUTF8(f.text[len(f.text)-room/4:], "")
	}
	c.total += len(f.text)
	c.out = append(c.out, f)
}

func (c *collector) full() bool { return len(c.out) >= maxFields || c.total >= maxTotal }

func (c *collector) walk(path string, node any, depth int) {
	if depth > maxDepth || c.full() {
		c.cut = true
		return
	}
	switch v := node.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if depth == 0 { // what agents read first is read first
			slices.SortStableFunc(keys, func(a, b string) int { return rankOf(a) - rankOf(b) })
		}
		for _, key := range keys {
			if c.full() {
				c.cut = true
				return
			}
			sub := key
			if path != "" {
				sub = path + "." + key
			}
			if key == "properties" || key == "$defs" || key == "definitions" {
				c.names(sub, v[key])
			}
			c.leaf(sub, key, v[key])
			c.walk(sub, v[key], depth+1)
		}
	case []any:
		for i, item := range v {
			sub := fmt.Sprintf("%s[%d]", path, i)
			if s, ok := item.(string); ok {
				c.add(valueField(sub, s))
			}
			c.walk(sub, item, depth+1)
		}
	}
}

func rankOf(key string) int {
	if i := slices.Index([]string{"name", "title", "description", "inputSchema"}, key); i >= 0 {
		return i
	}
	return 4
}

func (c *collector) leaf(path, key string, v any) {
	s, ok := v.(string)
	if !ok || key == "type" || key == "format" {
		return
	}
	f := valueField(path, s)
	switch key {
	case "description", "title", "$comment":
		f.kind, f.value = proseText, false
	case "name":
		f.kind, f.value = nameText, false
	}
	c.add(f)
}

// valueField is a value; one of several words is read as prose too.
func valueField(path, text string) field {
	f := field{path: path, text: text, value: true}
	if strings.Count(text, " ")+strings.Count(text, "\n") >= 4 || strings.IndexFunc(text, ideographic) >= 0 && len(text) > 24 {
		f.kind = proseText
	}
	return f
}

func (c *collector) names(path string, v any) {
	m, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if c.full() {
			c.cut = true
			return
		}
		c.add(field{path: path + "." + name + " (name)", text: name, kind: nameText})
	}
}
