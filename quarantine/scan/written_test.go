package scan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// written reads the definitions of testdata: "kind | name | description |
// parameters", a parameter with ": text" has a description.
func written(t testing.TB, file string) []row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var list []row
	for line := range strings.SplitSeq(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		part := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), " |")
		for i := range part {
			part[i] = strings.TrimSpace(strings.ReplaceAll(part[i], "\x00", "|"))
		}
		if len(part) < 3 {
			t.Fatalf("%s: %q", file, line)
		}
		part[2] = strings.ReplaceAll(part[2], `\n`, "\n")
		r := row{ID: part[1], Name: part[1], Description: part[2], Technique: part[0], Source: "written"}
		if len(part) > 3 && part[3] != "" {
			properties := map[string]any{}
			for p := range strings.SplitSeq(part[3], ", ") {
				name, says, _ := strings.Cut(p, ": ")
				properties[name] = map[string]any{"type": "string", "description": says}
			}
			r.InputSchema, _ = json.Marshal(map[string]any{"type": "object", "properties": properties})
		}
		list = append(list, r)
	}
	return list
}

// authors reads the definitions in a folder of testdata that independent authors
// wrote for this.
func authors(t testing.TB, folder string) (attacks, honest []row) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no authors", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var r struct {
				row
				Kind      string
				Technique int
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			r.row.Technique = strconv.Itoa(r.Technique)
			r.Source = "author-" + strings.TrimSuffix(filepath.Base(file), ".jsonl")
			if r.Kind == "attack" {
				attacks = append(attacks, r.row)
			} else {
				honest = append(honest, r.row)
			}
		}
	}
	return attacks, honest
}

// TestUnseenAuthor measures on an author from whom nothing was ever learned, and
// whose definitions nobody who works on the rules should read.
func TestUnseenAuthor(t *testing.T) {
	t.Parallel()
	attacks, honest := authors(t, "unseen")
	every := func(row) bool { return true }
	found, near := count(t, attacks, every, flagged), count(t, honest, every, flagged)
	t.Logf("an author nobody learned from\n  attacks %s\n  hard negatives %s", found, near)
	if found.share() < .36 || near.share() > .10 || count(t, honest, every, blocked).hits > 0 {
		t.Error("worse than docs/security.md says")
	}
}
