package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	"github.com/goccy/go-yaml"

	"mcpproxy/internal/escape"
)

// marshalYAML writes v as its JSON form would be, members in the same order.
// Hidden characters in strings are shown escaped, as YAML has no form of them
// that every terminal survives.
func marshalYAML(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	ordered, err := yamlValue(dec)
	if err != nil {
		return nil, err
	}
	return yaml.MarshalWithOptions(ordered, yaml.Indent(2), yaml.IndentSequence(true))
}

func yamlValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return yamlList(dec)
		}
		return yamlMap(dec)
	case json.Number:
		return yamlNumber(t), nil
	case string:
		return escape.Text(t), nil
	}
	return token, nil // bool or null
}

func yamlList(dec *json.Decoder) (any, error) {
	list := []any{}
	for dec.More() {
		v, err := yamlValue(dec)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.Token()
	return list, err
}

func yamlMap(dec *json.Decoder) (any, error) {
	m := yaml.MapSlice{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("object key is no string")
		}
		v, err := yamlValue(dec)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		m = append(m, yaml.MapItem{Key: escape.Text(name), Value: v})
	}
	_, err := dec.Token()
	return m, err
}

// yamlNumber keeps integers exact.
func yamlNumber(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil && !math.IsInf(f, 0) {
		return f
	}
	return n.String()
}
