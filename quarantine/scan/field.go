package scan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"mcpproxy/internal/tool"
)

// Caps: a definition is foreign and may be huge.
const (
	maxFields = 400
	maxText   = 20000 // bytes of one field that are read
	maxDepth  = 16
)

// field is one text of a definition. Prose is written for the model, the rest
// are names and values.
type field struct {
	path  string
	text  string
	prose bool
	value bool // a default, an enum, a const or an example
	forms []string
}

// fieldsOf collects every string of the definition, and the names of parameters.
func fieldsOf(t tool.Tool) []field {
	var root map[string]any
	if json.Unmarshal(t.Raw, &root) != nil {
		return nil
	}
	c := collector{}
	c.walk("", root, 0)
	for i := range c.out {
		c.out[i].forms = forms(c.out[i].text)
	}
	return c.out
}

type collector struct{ out []field }

func (c *collector) add(f field) {
	if len(c.out) < maxFields && f.text != "" {
		f.text = f.text[:min(len(f.text), maxText)]
		c.out = append(c.out, f)
	}
}

func (c *collector) walk(path string, node any, depth int) {
	if depth > maxDepth {
		return
	}
	switch v := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			sub := key
			if path != "" {
				sub = path + "." + key
			}
			if key == "properties" || key == "$defs" {
				c.names(sub, v[key])
			}
			c.leaf(sub, key, v[key])
			c.walk(sub, v[key], depth+1)
		}
	case []any:
		for i, item := range v {
			sub := fmt.Sprintf("%s[%d]", path, i)
			if s, ok := item.(string); ok {
				c.add(field{path: sub, text: s, value: true})
			}
			c.walk(sub, item, depth+1)
		}
	}
}

func (c *collector) leaf(path, key string, v any) {
	s, ok := v.(string)
	if !ok || key == "type" || key == "format" {
		return
	}
	prose := key == "description" || key == "title" || key == "$comment"
	c.add(field{path: path, text: s, prose: prose, value: !prose && key != "name"})
}

func (c *collector) names(path string, v any) {
	m, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		c.add(field{path: path + "." + name + " (name)", text: name})
	}
}
