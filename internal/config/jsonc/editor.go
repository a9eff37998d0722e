package jsonc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/tailscale/hujson"
)

// Field is one member of an object with its new value: anything that
// encoding/json writes. A nil Value removes the member.
type Field struct {
	Key   string
	Value any
}

// Editor changes one document. Each step cuts the text and reads it again, so a
// value that an earlier step returned is stale. Not safe for concurrent use.
type Editor struct {
	doc  *Document
	base layout
}

// NewEditor returns an editor of data, in which a missing root is made. Its error
// is a [*SyntaxError].
func NewEditor(data []byte) (*Editor, error) {
	doc, err := Parse(data)
	if err != nil {
		return nil, err
	}
	e := &Editor{doc: doc, base: layout{newline: "\n", unit: "  ", pad: " "}}
	if bytes.Contains(doc.Text, []byte("\r\n")) {
		e.base.newline = "\r\n"
	}
	if doc.Root.Value == nil {
		text := doc.Text
		if len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, e.base.newline...)
		}
		return e, e.set(append(text, "{}"+e.base.newline...))
	}
	if items := containerOf(doc.Root).items; len(items) > 0 {
		if indent, own := lineIndent(doc.Text, items[0].start); own && indent != "" {
			e.base.unit = indent
		}
	}
	return e, nil
}

// set replaces the text. An error here is a fault of this package.
func (e *Editor) set(text []byte) error {
	doc, err := Parse(text)
	if err != nil {
		return fmt.Errorf("an edit broke the file and was not written: %w", err)
	}
	if e.doc.newline && len(doc.Text) > 0 {
		doc.newline = true
	}
	doc.bom = e.doc.bom
	e.doc = doc
	return nil
}

// Root is the object that the document holds.
func (e *Editor) Root() hujson.Value { return e.doc.Root }

// Bytes returns the document as it is now.
func (e *Editor) Bytes() []byte { return e.doc.Bytes() }

// Append adds an object of fields as the last item of the array v, or as the
// last member, called key, of the object v, set as its neighbours are.
func (e *Editor) Append(v hujson.Value, key string, fields []Field) error {
	prefix := ""
	if v.Value.Kind() == '{' {
		text, err := renderValue(key)
		if err != nil {
			return err
		}
		prefix = text + ": "
	}
	var failed error
	text := insert(e.doc.Text, containerOf(v), e.base, func(l layout) string {
		entry, err := renderObject(fields, l)
		failed = err
		return prefix + entry
	})
	if failed != nil {
		return failed
	}
	return e.set(text)
}

// Remove takes item i out of the array or object v.
func (e *Editor) Remove(v hujson.Value, i int) error {
	return e.set(remove(e.doc.Text, containerOf(v), i))
}

// SetMember sets, adds or removes one member of obj. An object that replaces an
// object is merged key by key, so that comments inside survive.
func (e *Editor) SetMember(obj hujson.Value, f Field) error {
	members := obj.Value.(*hujson.Object).Members
	i := slices.IndexFunc(members, func(m hujson.ObjectMember) bool { return Literal(m.Name) == f.Key })
	switch {
	case f.Value == nil && i < 0:
		return nil
	case f.Value == nil:
		return e.set(remove(e.doc.Text, containerOf(obj), i))
	case i < 0:
		part, err := renderMember(f)
		if err != nil {
			return err
		}
		base := e.base
		if len(members) == 0 {
			base.inline = true
		}
		return e.set(insert(e.doc.Text, containerOf(obj), base, func(layout) string { return part }))
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
	return e.set(splice(e.doc.Text, old.StartOffset, old.EndOffset, text))
}

// merge makes the object that begins at offset equal to is.
func (e *Editor) merge(offset int, was, is map[string]any) error {
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
		for v := range e.doc.Root.All() {
			if v.StartOffset == offset && v.Value.Kind() == '{' {
				if err := e.SetMember(*v, f); err != nil {
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
