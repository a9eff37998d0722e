package proxy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The arguments of our own tools come from language models: where one sent a
// number or a list as a string that holds it, we take it as meant.

func readString(m member) (string, error) {
	if string(m.Value) == "null" {
		return "", nil
	}
	var s string
	if json.Unmarshal(m.Value, &s) != nil {
		return "", fmt.Errorf("%s must be a string", m.Key)
	}
	return s, nil
}

// readInt returns 0 for null.
func readInt(m member) (int, error) {
	text := strings.Trim(string(m.Value), `"`)
	if text == "null" || text == "" {
		return 0, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int32(f)) {
		return 0, fmt.Errorf("%s must be a whole number", m.Key)
	}
	return int(f), nil
}

func readBool(m member) (bool, error) {
	b, err := strconv.ParseBool(strings.Trim(string(m.Value), `"`))
	if err != nil {
		return false, fmt.Errorf("%s must be true or false", m.Key)
	}
	return b, nil
}

func readStrings(m member) ([]string, error) {
	var list []string
	if json.Unmarshal(unwrapped(m.Value), &list) != nil {
		return nil, fmt.Errorf("%s must be a list of strings", m.Key)
	}
	return list, nil
}

func readStringMap(m member) (map[string]string, error) {
	var values map[string]string
	if json.Unmarshal(unwrapped(m.Value), &values) != nil {
		return nil, fmt.Errorf("%s must be an object whose values are strings", m.Key)
	}
	return values, nil
}

// unwrapped returns the JSON text inside of raw if raw is a string, else raw.
func unwrapped(raw json.RawMessage) json.RawMessage {
	var text string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return json.RawMessage(text)
	}
	return raw
}
