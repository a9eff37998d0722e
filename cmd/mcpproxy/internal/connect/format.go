package connect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"mcpproxy/internal/config/jsonc"
)

// format edits files of one syntax. Every method takes a whole file, which may
// be empty, and leaves it alone. No error quotes the file.
type format interface {
	// decode reads a file into JSON values.
	decode(text []byte) (map[string]any, error)
	// put returns text with our entry, new or replaced, in a section.
	put(text []byte, section string, fields []jsonc.Field) ([]byte, error)
	// drop returns text without our entry, which is there.
	drop(text []byte, section string) ([]byte, error)
}

// current returns our entry in the client's file.
func (c Client) current(text []byte) (entry any, there bool, err error) {
	whole, err := c.format.decode(text)
	if err != nil {
		return nil, false, err
	}
	servers, err := table(whole, c.section)
	if err != nil {
		return nil, false, err
	}
	entry, there = servers[EntryName]
	return entry, there, nil
}

// table is a section of a decoded file; a missing one is empty.
func table(whole map[string]any, section string) (map[string]any, error) {
	value, there := whole[section]
	if !there || value == nil {
		return nil, nil
	}
	servers, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: %q is not a table of servers", ErrLayout, section)
	}
	return servers, nil
}

// verify makes sure that after says what before says, with our entry replaced by
// want; nil fields mean without it.
func verify(c Client, before, after []byte, want []jsonc.Field) error {
	was, err := c.format.decode(before)
	if err != nil {
		return err
	}
	is, err := c.format.decode(after)
	if err != nil {
		return fmt.Errorf("%w (the edit would not be valid)", ErrLayout)
	}
	wasServers, err := table(was, c.section)
	if err != nil {
		return err
	}
	isServers, err := table(is, c.section)
	if err != nil {
		return err
	}
	entry, there := isServers[EntryName]
	if there != (want != nil) || there && !same(entry, object(want)) {
		return ErrLayout
	}
	if !same(without(was, c.section), without(is, c.section)) || !same(without(wasServers, EntryName), without(isServers, EntryName)) {
		return ErrLayout
	}
	return nil
}

func without(m map[string]any, key string) map[string]any {
	m = maps.Clone(m)
	delete(m, key)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// object is fields as a JSON value.
func object(fields []jsonc.Field) map[string]any {
	m := map[string]any{}
	for _, f := range fields {
		m[f.Key] = f.Value
	}
	return m
}

// same compares two values as JSON.
func same(x, y any) bool {
	a, err := canonical(x)
	if err != nil {
		return false
	}
	b, err := canonical(y)
	return err == nil && reflect.DeepEqual(a, b)
}

func canonical(v any) (out any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err = dec.Decode(&out)
	return out, err
}

// newlineOf is how the lines of text end.
func newlineOf(text []byte) string {
	if bytes.Contains(text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
