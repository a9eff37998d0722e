package connect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"mcpproxy/internal/config/jsonc"
)

// tomlFormat is TOML with a table of its own for each server. Edits work on
// whole lines; what is laid out in another way is found out by reading the
// result back.
type tomlFormat struct{}

func (tomlFormat) decode(text []byte) (map[string]any, error) {
	whole := map[string]any{}
	if err := toml.Unmarshal(text, &whole); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := at.Position()
			return nil, fmt.Errorf("line %d, column %d: is not TOML", line, column)
		}
		return nil, errors.New("is not TOML")
	}
	return whole, nil
}

func (tomlFormat) put(text []byte, section string, fields []jsonc.Field) ([]byte, error) {
	newline := newlineOf(text)
	entry := []string{"[" + section + "." + EntryName + "]" + newline}
	for _, f := range fields {
		value, err := tomlValue(f.Value)
		if err != nil {
			return nil, err
		}
		entry = append(entry, f.Key+" = "+value+newline)
	}
	lines := splitLines(text)
	if from, to := tomlTables(lines, section); from >= 0 {
		return joinLines(lines[:from], entry, lines[to:]), nil
	}
	if n := len(lines); n > 0 {
		if !strings.HasSuffix(lines[n-1], "\n") {
			lines[n-1] += newline
		}
		if strings.TrimSpace(lines[n-1]) != "" {
			entry = slices.Insert(entry, 0, newline)
		}
	}
	return joinLines(lines, entry), nil
}

func (tomlFormat) drop(text []byte, section string) ([]byte, error) {
	lines := splitLines(text)
	from, to := tomlTables(lines, section)
	if from < 0 {
		return nil, ErrLayout
	}
	return joinLines(lines[:from], lines[to:]), nil
}

var tomlHeader = regexp.MustCompile(`^\s*\[+([^\[\]#]+)\]`)

// tomlTables returns the lines of our table and of the tables below it, which
// follow each other, or -1. Blank lines and comments before the next table stay.
func tomlTables(lines []string, section string) (from, to int) {
	from = -1
	for i, line := range lines {
		m := tomlHeader.FindStringSubmatch(line)
		ours := m != nil && tomlOurs(m[1], section)
		switch {
		case ours && from < 0:
			from, to = i, i+1
		case from < 0:
		case m != nil && !ours:
			return from, to
		case !yamlBlank(line): // comments look alike
			to = i + 1
		}
	}
	return from, to
}

func tomlOurs(header, section string) bool {
	parts := strings.Split(header, ".")
	for i, part := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(part), `"'`)
	}
	return len(parts) >= 2 && parts[0] == section && parts[1] == EntryName
}

// tomlValue is v on one line. A JSON string is a basic string of TOML.
func tomlValue(v any) (string, error) {
	table, ok := v.(map[string]string)
	if !ok {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		err := enc.Encode(v)
		return strings.TrimSpace(out.String()), err
	}
	var members []string
	for key, value := range table {
		k, err := tomlValue(key)
		if err != nil {
			return "", err
		}
		text, err := tomlValue(value)
		if err != nil {
			return "", err
		}
		members = append(members, k+" = "+text)
	}
	slices.Sort(members)
	return "{ " + strings.Join(members, ", ") + " }", nil
}
