package quarantine_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// screen is what a reviewer sees at once.
const screenLines, screenColumns = 50, 120

// rows decodes a corpus file, or skips the test where it is not there.
func rows[T any](t *testing.T, name string) []T {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "shared", "data", "poison", name))
	if err != nil {
		t.Skipf("no corpus: %v", err)
	}
	defer file.Close()
	var list []T
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var row T
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		list = append(list, row)
	}
	return list
}

// definition returns a tool from fields of the corpus.
func definition(t *testing.T, name string, fields map[string]json.RawMessage) tool.Tool {
	t.Helper()
	raw := map[string]json.RawMessage{"name": []byte(mustJSON(name)), "inputSchema": []byte(`{"type":"object"}`)}
	for key, value := range fields {
		switch key {
		case "input_schema":
			raw["inputSchema"] = value
		default:
			raw[key] = value
		}
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	one, err := tool.Decode(server, text)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestGate_Corpus_MaliciousChangesAreHeld(t *testing.T) {
	t.Parallel()
	type row struct{ ID, Name, Before, After string }
	directives := 0
	pairs := rows[row](t, "rugpull_pairs.jsonl")
	for _, r := range pairs {
		was := definition(t, r.Name, map[string]json.RawMessage{"description": []byte(mustJSON(r.Before))})
		is := definition(t, r.Name, map[string]json.RawMessage{"description": []byte(mustJSON(r.After))})
		b := served(t, was)
		if got := b.admit(is); got != r.Name+":changed" {
			t.Errorf("%s: Admit = %q, want it held", r.ID, got)
		}
		d, err := quarantine.Compare(was.Raw, is.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if d.Class == quarantine.NewDirective {
			directives++
		}
	}
	if directives < len(pairs)*9/10 {
		t.Errorf("%d of %d malicious changes are called a new directive", directives, len(pairs))
	}
	t.Logf("%d of %d called a new directive", directives, len(pairs))
}

func TestGate_Corpus_HonestDriftIsHeldOnOneScreen(t *testing.T) {
	t.Parallel()
	type row struct {
		Server, Name, Date string
		Changed            []string
		Before, After      map[string]json.RawMessage
	}
	held, applied, classes := 0, 0, map[quarantine.Class]int{}
	for _, r := range rows[row](t, "benign_drift.jsonl") {
		was, is := definition(t, r.Name, r.Before), definition(t, r.Name, r.After)
		if was.Hash() == is.Hash() {
			continue
		}
		b := served(t, was)
		got := b.admit(is)
		text := slices.ContainsFunc(r.Changed, func(field string) bool { return field != "annotations" })
		if got == r.Name {
			applied++
		} else {
			held++
		}
		if text && got != r.Name+":changed" {
			t.Errorf("%s:%s of %s: Admit = %q, want it held", r.Server, r.Name, r.Date, got)
		}
		d, err := quarantine.Compare(was.Raw, is.Raw)
		if err != nil {
			t.Fatal(err)
		}
		classes[d.Class]++
		lines := d.Lines(screenColumns, quarantine.PlainMarks)
		if len(lines) == 0 || len(lines) > screenLines {
			t.Errorf("%s:%s of %s: the diff has %d lines\n%s", r.Server, r.Name, r.Date, len(lines), strings.Join(lines[:min(5, len(lines))], "\n"))
		}
	}
	t.Logf("%d held, %d applied, %v", held, applied, classes)
}
