package proxy

import (
	"fmt"
	"strings"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

// Bounds of what servers' instructions take of ours, in characters: every agent
// pays for them at every start.
const (
	maxAdvice    = 2000 // of one server
	maxAllAdvice = 6000 // of all
)

// advice is what approved servers say at initialize, for ours: labelled with the
// server's name, each line set in so that no text can look like another's label.
func (p *Proxy) advice() string {
	var b strings.Builder
	left, unsaid := maxAllAdvice, 0
	for _, o := range p.shelf.Load().lists[tool.Instructions] {
		if p.opt.Gate.Check(o.def.ID, o.hash) != nil {
			continue
		}
		if left <= 0 {
			unsaid++
			continue
		}
		text := escape.Clip(plainText(strings.TrimSpace(o.def.Description), maxAdvice), left)
		left -= len([]rune(text))
		fmt.Fprintf(&b, "\nInstructions of %s, approved by the user, for its tools alone:\n", printable(o.def.ID.Server))
		for line := range strings.Lines(text) {
			b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	if unsaid > 0 {
		fmt.Fprintf(&b, "\nLeft out for length: instructions of %s.\n", count(unsaid, "more server", "more servers"))
	}
	return b.String()
}
