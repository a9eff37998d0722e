package scan

import (
	"encoding/json"
	"os"
	"path/filepath"
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
