// Package hint writes the command lines that messages suggest, so that one which
// is copied works whatever a server or a secret is called. It quotes and does not
// escape: who prints a hint treats it like the names in it.
package hint

import (
	"runtime"
	"strings"
	"unicode"
)

// Program is how the commands begin.
const Program = "mcpproxy"

// Command is the program with words as its arguments: Command("quarantine",
// "approve", "my server") is mcpproxy quarantine approve 'my server'.
func Command(words ...string) string { return Program + " " + Shell(words...) }

// Shell is words as one line of a shell, each quoted that would not be read as
// itself: for a POSIX shell, or on Windows for PowerShell.
func Shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = word(w, runtime.GOOS == "windows")
	}
	return strings.Join(quoted, " ")
}

func word(s string, windows bool) string {
	switch {
	case s != "" && s[0] != '=' && !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r, windows) }):
		return s
	case windows:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	default:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
}

// isPlain reports whether r means nothing but itself in the middle of a word.
func isPlain(r rune, windows bool) bool {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=+", r) {
		return true
	}
	if windows {
		return r == '\\'
	}
	return strings.ContainsRune("@%,", r)
}
