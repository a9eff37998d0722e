package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/config/jsonc"
)

// Field is one key of a server with its new value: anything that encoding/json
// writes. A nil Value removes the key.
type Field = jsonc.Field

// aliases are keys that mean the same; the first is ours.
var aliases = [][]string{
	{"enabled", "disabled"},
	{"working_dir", "cwd"},
	{"type", "protocol", "transportType"},
}

// editor changes the servers of one document.
type editor struct{ *jsonc.Editor }

func newEditor(data []byte) (*editor, error) {
	e, err := jsonc.NewEditor(data)
	if err != nil {
		return nil, syntaxFaults(err)
	}
	return &editor{e}, nil
}

// syntaxFaults makes faults of a text that is no JSON with comments.
func syntaxFaults(err error) error {
	if s, ok := errors.AsType[*jsonc.SyntaxError](err); ok {
		return Faults{{Line: s.Line, Column: s.Column, Message: s.Message}}
	}
	return err
}

// servers returns the value of mcpServers, made as an empty list if it is not
// there.
func (e *editor) servers() (hujson.Value, error) {
	root := e.Root()
	if v := root.Find("/mcpServers"); v == nil || v.Value.Kind() == 'n' {
		if err := e.SetMember(root, Field{Key: "mcpServers", Value: []string{}}); err != nil {
			return hujson.Value{}, err
		}
	}
	root = e.Root()
	return *root.Find("/mcpServers"), nil
}

// find returns the entry of a server, the array or object it is in and its
// place there.
func (e *editor) find(name string) (entry, in hujson.Value, i int, err error) {
	root := e.Root()
	if v := root.Find("/mcpServers"); v != nil {
		switch servers := v.Value.(type) {
		case *hujson.Array:
			for i, s := range servers.Elements {
				if n := s.Find("/name"); n != nil && n.Value.Kind() == '"' && jsonc.Literal(*n) == name {
					return s, *v, i, nil
				}
			}
		case *hujson.Object:
			for i, m := range servers.Members {
				if jsonc.Literal(m.Name) == name {
					return m.Value, *v, i, nil
				}
			}
		}
	}
	return hujson.Value{}, hujson.Value{}, 0, fmt.Errorf("%w: %q", ErrNoServer, name)
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
	if servers.Value.Kind() == '{' {
		return e.Append(servers, name, fields)
	}
	return e.Append(servers, "", slices.Insert(fields, 0, Field{Key: "name", Value: name}))
}

func (e *editor) remove(name string) error {
	_, in, i, err := e.find(name)
	if err != nil {
		return err
	}
	return e.Remove(in, i)
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
			if err := e.SetMember(entry, f); err != nil {
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
			out = append(out, Field{Key: key, Value: value})
		}
		if len(out) > 0 {
			return out
		}
	}
	return []Field{f}
}
