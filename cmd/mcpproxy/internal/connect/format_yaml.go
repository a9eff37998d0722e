package connect

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"mcpproxy/internal/config/jsonc"
)

// yamlFormat is YAML in block style. Edits work on whole lines; what is laid out
// in another way is found out by reading the result back.
type yamlFormat struct{}

func (yamlFormat) decode(text []byte) (map[string]any, error) {
	whole := map[string]any{}
	if len(bytes.TrimSpace(text)) == 0 {
		return whole, nil
	}
	if yamlTooLarge(text) {
		return nil, errors.New("is larger than any configuration, with its aliases written out")
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&whole); err != nil {
		return nil, errors.New("is not YAML with a mapping at the top") // the parser's error quotes lines
	}
	if dec.Decode(new(any)) == nil {
		return nil, errors.Join(ErrLayout, errors.New("it holds several documents"))
	}
	_, err := json.Marshal(whole)
	return whole, err
}

func (yamlFormat) put(text []byte, section string, fields []jsonc.Field) ([]byte, error) {
	newline := newlineOf(text)
	lines := splitLines(text)
	head := yamlKey(lines, 0, len(lines), "", section)
	if head < 0 {
		if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
			lines[n-1] += newline
		}
		lines = append(lines, section+":"+newline)
		head = len(lines) - 1
	} else if rest := yamlRest(lines[head], section); rest != "" {
		key, behind, _ := strings.Cut(lines[head], rest) // {}, null or ~, or the result is refused
		lines[head] = strings.TrimRight(key, " ") + behind
	}
	indent, end := yamlChildren(lines, head)
	entry, err := yamlEntry(fields, indent, newline)
	if err != nil {
		return nil, err
	}
	if at := yamlKey(lines, head+1, end, indent, EntryName); at >= 0 {
		to := yamlEnd(lines, at, end, indent)
		return joinLines(lines[:at], entry, lines[to:]), nil
	}
	if !strings.HasSuffix(lines[head], "\n") {
		lines[head] += newline
	}
	return joinLines(lines[:head+1], entry, lines[head+1:]), nil
}

func (yamlFormat) drop(text []byte, section string) ([]byte, error) {
	lines := splitLines(text)
	head := yamlKey(lines, 0, len(lines), "", section)
	if head < 0 {
		return nil, ErrLayout
	}
	indent, end := yamlChildren(lines, head)
	at := yamlKey(lines, head+1, end, indent, EntryName)
	if at < 0 {
		return nil, ErrLayout
	}
	return joinLines(lines[:at], nil, lines[yamlEnd(lines, at, end, indent):]), nil
}

// yamlEntry sets our entry behind indent.
func yamlEntry(fields []jsonc.Field, indent, newline string) ([]string, error) {
	var slice yaml.MapSlice
	for _, f := range fields {
		slice = append(slice, yaml.MapItem{Key: f.Key, Value: f.Value})
	}
	text, err := yaml.Marshal(yaml.MapSlice{{Key: EntryName, Value: slice}})
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		out = append(out, indent+strings.TrimRight(line, "\n")+newline)
	}
	return out, nil
}

// yamlKey is the line in [from, to) that begins with key behind exactly indent,
// or -1.
func yamlKey(lines []string, from, to int, indent, key string) int {
	for i := from; i < to; i++ {
		rest, ok := strings.CutPrefix(lines[i], indent)
		for _, form := range []string{key, `"` + key + `"`, "'" + key + "'"} {
			if after, found := strings.CutPrefix(rest, form); ok && found && strings.HasPrefix(strings.TrimLeft(after, " "), ":") {
				return i
			}
		}
	}
	return -1
}

// yamlRest is what stands behind "key:" on its line, without a comment.
func yamlRest(line, key string) string {
	_, rest, _ := strings.Cut(line[len(key):], ":")
	rest, _, _ = strings.Cut(rest, " #")
	if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "#") {
		return ""
	}
	return rest
}

// yamlChildren returns the indentation of what is below line head, and the line
// on which it ends.
func yamlChildren(lines []string, head int) (indent string, end int) {
	indent, end = "  ", head+1
	first := true
	for i := head + 1; i < len(lines); i++ {
		if yamlBlank(lines[i]) {
			continue
		}
		own := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], " "))]
		if own == "" {
			break
		}
		if first {
			indent, first = own, false
		}
		end = i + 1
	}
	return indent, end
}

// yamlEnd is the line after the entry that begins on line at: the next one that
// is not indented more. Blank lines and comments before that one stay.
func yamlEnd(lines []string, at, end int, indent string) int {
	to := at + 1
	for i := at + 1; i < end; i++ {
		if yamlBlank(lines[i]) {
			continue
		}
		if !strings.HasPrefix(lines[i], indent+" ") {
			break
		}
		to = i + 1
	}
	return to
}

func yamlBlank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}

// splitLines keeps the line ends.
func splitLines(text []byte) []string { return slices.Collect(strings.Lines(string(text))) }

func joinLines(parts ...[]string) []byte { return []byte(strings.Join(slices.Concat(parts...), "")) }
