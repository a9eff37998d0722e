package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcpproxy/internal/hint"
)

// placeless are the commands that no configuration or data directory concerns.
var placeless = []string{"demo", "example", "version"}

// suggestions finds the commands of root that a text suggests.
func suggestions(root *cobra.Command) *regexp.Regexp {
	var names []string
	for _, sub := range root.Commands() {
		if !slices.Contains(placeless, sub.Name()) {
			names = append(names, regexp.QuoteMeta(sub.Name()))
		}
	}
	return regexp.MustCompile(`(^|[^\w./-])` + hint.Program + ` (` + strings.Join(names, "|") + `)\b`)
}

// here is text, a hint of ours or of the instance, with the --config and --data-dir
// of this command line in every command that it suggests: copied, one speaks to the
// same instance, from whatever folder. It is not for JSON, nor for text that a
// reviewer reads as it is.
func (g *global) here(text string) string {
	var flags []string
	for _, f := range []struct{ flag, path string }{{"-c", g.configPath}, {"-d", g.dataDir}} {
		if f.path == "" {
			continue
		}
		if abs, err := filepath.Abs(f.path); err == nil {
			f.path = abs
		}
		flags = append(flags, f.flag, f.path)
	}
	if len(flags) == 0 {
		return text
	}
	with := strings.ReplaceAll(hint.Command(flags...), "$", "$$")
	return g.suggested.ReplaceAllString(text, "${1}"+with+" ${2}")
}
