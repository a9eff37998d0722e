package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/tailscale/hujson"
)

// Field is one key of a server with its new value: anything that encoding/json
// writes. A nil Value removes the key.
type Field struct {
	Key   string
	Value any
}

// aliases are keys that mean the same; the first is ours.
var aliases = [][]string{
	{"enabled", "disabled"},
	{"working_dir", "cwd"},
	{"type", "protocol", "transportType"},
}

// editor changes one document. Each step cuts the text and reads it again.
type editor struct {
	doc  *document
	base layout
}

func newEditor(data []byte) (*editor, error) {
	doc, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	e := &editor{doc: doc, base: layout{newline: "\n", unit: "  ", pad: " "}}
	if bytes.Contains(doc.text, []byte("\r\n")) {
		e.base.newline = "\r\n"
	}
	if doc.root.Value == nil {
		text := doc.text
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, e.base.newline...)
		}
		return e, e.set(append(text, "{}"+e.base.newline...))
	}
	if items := containerOf(doc.root).items; len(items) > 0 {
		if indent, own := lineIndent(doc.text, items[0].start); own && indent != "" {
			e.base.unit = indent
		}
	}
	return e, nil
}

// set replaces the text. An error here is a fault of this package.
func (e *editor) set(text []byte) error {
	doc, err := parseDocument(text)
	if err != nil {
		return fmt.Errorf("configuration: an edit broke the file and was not written: %w", err)
	}
	if e.doc.newline && len(doc.text) > 0 {
		doc.newline = true
	}
	doc.bom = e.doc.bom
	e.doc = doc
	return nil
}

// servers returns the value of mcpServers, made as an empty list if it is not
// there.
func (e *editor) servers() (hujson.Value, error) {
	v := e.doc.root.Find("/mcpServers")
	switch {
	case v == nil:
		text := insert(e.doc.text, containerOf(e.doc.root), e.base, func(layout) string { return `"mcpServers": []` })
		if err := e.set(text); err != nil {
			return hujson.Value{}, err
		}
	case v.Value.Kind() == 'n':
		if err := e.set(splice(e.doc.text, v.StartOffset, v.EndOffset, "[]")); err != nil {
			return hujson.Value{}, err
		}
	}
	return *e.doc.root.Find("/mcpServers"), nil
}

// find returns the entry of a server, the container it is in and its place.
func (e *editor) find(name string) (entry hujson.Value, in container, i int, err error) {
	v := e.doc.root.Find("/mcpServers")
	if v != nil {
		switch servers := v.Value.(type) {
		case *hujson.Array:
			for i, s := range servers.Elements {
				if n := s.Find("/name"); n != nil && n.Value.Kind() == '"' && literal(*n) == name {
					return s, containerOf(*v), i, nil
				}
			}
		case *hujson.Object:
			for i, m := range servers.Members {
				if literal(m.Name) == name {
					return m.Value, containerOf(*v), i, nil
				}
			}
		}
	}
	return hujson.Value{}, container{}, 0, fmt.Errorf("%w: %q", ErrNoServer, name)
}

// add appends a server in the form that the file uses.
func (e *editor) add(name string, fields []Field) error {
	if _, _, _, err := e.find(name); err == nil {
		return fmt.Errorf("%w: %q", ErrExists, name)
	}
	servers, err := e.servers()
	if err != nil {
		return err
	}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Value == nil || f.Key == "name" })
	prefix := ""
	if servers.Value.Kind() == '{' {
		key, err := renderValue(name)
		if err != nil {
			return err
		}
		prefix = key + ": "
	} else {
		fields = slices.Insert(fields, 0, Field{"name", name})
	}
	var failed error
	text := insert(e.doc.text, containerOf(servers), e.base, func(l layout) string {
		entry, err := renderObject(fields, l)
		failed = err
		return prefix + entry
	})
	if failed != nil {
		return failed
	}
	return e.set(text)
}

func (e *editor) remove(name string) error {
	_, in, i, err := e.find(name)
	if err != nil {
		return err
	}
	return e.set(remove(e.doc.text, in, i))
}

// update changes the given keys of a server, each under the name that the entry
// already uses for it.
func (e *editor) update(name string, fields []Field) error {
	for _, f := range fields {
		entry, _, _, err := e.find(name)
		if err != nil {
			return err
		}
		for _, f := range spell(entry, f) {
			// The entry is found anew: the step before moved it.
			if entry, _, _, err = e.find(name); err != nil {
				return err
			}
			if err := e.setMember(entry, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// spell translates f into the keys that entry uses for it.
func spell(entry hujson.Value, f Field) []Field {
	for _, group := range aliases {
		if !slices.Contains(group, f.Key) {
			continue
		}
		var out []Field
		for _, key := range group {
			if entry.Find("/"+key) == nil {
				continue
			}
			value := f.Value
			if on, ok := value.(bool); ok && (key == "disabled") != (f.Key == "disabled") {
				value = !on
			}
			out = append(out, Field{key, value})
		}
		if len(out) > 0 {
			return out
		}
	}
	return []Field{f}
}

// setMember sets, adds or removes one member of obj. An object that replaces an
// object is merged key by key, so that comments inside survive.
func (e *editor) setMember(obj hujson.Value, f Field) error {
	members := obj.Value.(*hujson.Object).Members
	i := slices.IndexFunc(members, func(m hujson.ObjectMember) bool { return literal(m.Name) == f.Key })
	switch {
	case f.Value == nil && i < 0:
		return nil
	case f.Value == nil:
		return e.set(remove(e.doc.text, containerOf(obj), i))
	case i < 0:
		part, err := renderMember(f)
		if err != nil {
			return err
		}
		base := e.base
		if len(members) == 0 {
			base.inline = true
		}
		return e.set(insert(e.doc.text, containerOf(obj), base, func(layout) string { return part }))
	}
	old := members[i].Value
	text, err := renderValue(f.Value)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Key, err)
	}
	var was, is any
	if err := json.Unmarshal([]byte(text), &is); err != nil {
		return fmt.Errorf("%s: %w", f.Key, err)
	}
	if err := json.Unmarshal(standard(old), &was); err == nil && reflect.DeepEqual(was, is) {
		return nil
	}
	wasObject, ok1 := was.(map[string]any)
	isObject, ok2 := is.(map[string]any)
	if ok1 && ok2 {
		return e.merge(old.StartOffset, wasObject, isObject)
	}
	return e.set(splice(e.doc.text, old.StartOffset, old.EndOffset, text))
}

// merge makes the object that begins at offset equal to is.
func (e *editor) merge(offset int, was, is map[string]any) error {
	var fields []Field
	for key := range was {
		if _, ok := is[key]; !ok {
			fields = append(fields, Field{Key: key})
		}
	}
	for key, value := range is {
		fields = append(fields, Field{key, value})
	}
	slices.SortFunc(fields, func(a, b Field) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	for _, f := range fields {
		for v := range e.doc.root.All() {
			if v.StartOffset == offset && v.Value.Kind() == '{' {
				if err := e.setMember(*v, f); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// standard returns v as JSON.
func standard(v hujson.Value) []byte {
	v = v.Clone()
	v.Minimize()
	return v.Pack()
}
