package index

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mcpproxy/internal/tool"
)

// ErrBadSet is wrapped by errors about the rows of an evaluation set.
var ErrBadSet = errors.New("bad evaluation set")

// maxLine is the longest row of an evaluation set, in bytes.
const maxLine = 16 << 20

// Set is a catalogue of tools and requests whose right answers are known.
type Set struct {
	tools   []setTool
	queries []setQuery
}

type setTool struct {
	id string // opaque
	tool.Tool
}

type setQuery struct {
	text   string
	set    string
	groups [][]int // numbers of tools; one of each group is wanted
}

// ReadSet reads tools, rows of {"id","server","name","description",
// "input_schema"}, and queries, rows of {"id","query","relevant":[ids],"set",
// "groups":[[ids]]}; both are JSON lines, empty lines are passed over. server,
// set and groups may be absent, input_schema null. An error wraps [ErrBadSet]
// and names file and line.
func ReadSet(toolsPath, queriesPath string) (Set, error) {
	var s Set
	numbers := make(map[string]int)
	err := readLines(toolsPath, func(row []byte) error {
		t, err := decodeSetTool(row)
		if err != nil {
			return err
		}
		if _, twice := numbers[t.id]; twice {
			return fmt.Errorf("id %q stands twice", t.id)
		}
		numbers[t.id] = len(s.tools)
		s.tools = append(s.tools, t)
		return nil
	})
	if err != nil {
		return Set{}, err
	}
	err = readLines(queriesPath, func(row []byte) error {
		q, err := decodeSetQuery(row, numbers)
		s.queries = append(s.queries, q)
		return err
	})
	if err != nil {
		return Set{}, err
	}
	if len(s.tools) == 0 || len(s.queries) == 0 {
		return Set{}, fmt.Errorf("%w: %d tools in %s, %d queries in %s", ErrBadSet, len(s.tools), toolsPath, len(s.queries), queriesPath)
	}
	return s, nil
}

// readLines calls f for each line that is not empty.
func readLines(path string, f func(row []byte) error) (err error) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("evaluation set: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return scanLines(file, path, f)
}

func scanLines(r io.Reader, name string, f func(row []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := f(lines.Bytes()); err != nil {
			return fmt.Errorf("%w: %s:%d: %w", ErrBadSet, name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %s:%d: %w", ErrBadSet, name, n+1, err)
	}
	return nil
}

func decodeSetTool(row []byte) (setTool, error) {
	var r struct {
		ID          string          `json:"id"`
		Server      string          `json:"server"`
		Name        string          `json:"name"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
	}
	if err := json.Unmarshal(row, &r); err != nil {
		return setTool{}, err
	}
	if r.ID == "" || r.Name == "" {
		return setTool{}, errors.New(`want "id" and "name"`)
	}
	return setTool{id: r.ID, Tool: tool.Tool{
		ID: tool.ID{Server: r.Server, Name: r.Name}, Title: r.Title, Description: r.Description, InputSchema: r.InputSchema,
	}}, nil
}

func decodeSetQuery(row []byte, numbers map[string]int) (setQuery, error) {
	var r struct {
		Query    string     `json:"query"`
		Set      string     `json:"set"`
		Relevant []string   `json:"relevant"`
		Groups   [][]string `json:"groups"`
	}
	if err := json.Unmarshal(row, &r); err != nil {
		return setQuery{}, err
	}
	if len(r.Groups) == 0 {
		for _, id := range r.Relevant {
			r.Groups = append(r.Groups, []string{id})
		}
	}
	if r.Query == "" || len(r.Groups) == 0 {
		return setQuery{}, errors.New(`want "query" and "relevant" or "groups"`)
	}
	q := setQuery{text: r.Query, set: r.Set}
	for _, ids := range r.Groups {
		var group []int
		for _, id := range ids {
			n, known := numbers[id]
			if !known {
				return setQuery{}, fmt.Errorf("tool %q is not in the tools", id)
			}
			group = append(group, n)
		}
		if len(group) == 0 {
			return setQuery{}, errors.New("a group is empty")
		}
		q.groups = append(q.groups, group)
	}
	return q, nil
}
