package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"mcpproxy/internal/escape"
)

// Fault is one thing in the file that cannot be used. Path is like
// mcpServers[2].url, and empty for a fault of the whole file. Line and Column
// count from 1; Column is 0 unless the text is not JSON at all.
type Fault struct {
	Path    string
	Line    int
	Column  int
	Message string
}

// String is "line 7: mcpServers[2].url: must start with http:// or https://".
func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ", column %d", f.Column)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	return b.String() + f.Message
}

// Faults are all faults of a file, in its order. It is the error of [Parse].
type Faults []Fault

// Error lists every fault on a line of its own.
func (f Faults) Error() string {
	lines := make([]string, 0, len(f)+1)
	noun := "faults"
	if len(f) == 1 {
		noun = "fault"
	}
	lines = append(lines, fmt.Sprintf("configuration has %d %s", len(f), noun))
	for _, fault := range f {
		lines = append(lines, "  "+fault.String())
	}
	return strings.Join(lines, "\n")
}

// Warning is something that has no effect or is unwise.
type Warning Fault

// String is like [Fault.String].
func (w Warning) String() string { return Fault(w).String() }

// child is the path of a member. Keys that are not plain words are quoted, so
// that a path stays on one line and shows no control characters.
func child(at, key string) string {
	plain := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
	}) < 0
	switch {
	case !plain:
		return at + "[" + strconv.QuoteToASCII(escape.Clip(key, 80)) + "]"
	case at == "":
		return key
	}
	return at + "." + key
}

func element(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }
