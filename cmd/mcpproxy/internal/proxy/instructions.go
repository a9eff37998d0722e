package proxy

import (
	"fmt"
	"strings"
	"unicode"

	"mcpproxy/internal/escape"
)

const maxNames = 12 // servers named in one sentence

// instructions tell a client at initialize what is behind the proxy.
func (p *Proxy) instructions() string {
	o := p.opt.Overview()
	var b strings.Builder
	if len(o.Servers) == 0 {
		b.WriteString("mcpproxy stands in front of MCP servers; none has approved tools yet.\n")
	} else {
		list := make([]string, len(o.Servers))
		for i, s := range o.Servers {
			list[i] = fmt.Sprintf("%s (%s)", printable(s.Name), count(s.Tools, "tool", "tools"))
		}
		fmt.Fprintf(&b, "mcpproxy stands in front of %s: %s.\n", count(len(list), "MCP server", "MCP servers"), capped(list))
	}
	b.WriteString("Their tools are not in this menu. First search with retrieve_tools in plain words, ")
	b.WriteString("then call a hit with the tool that its call_with names, giving its id and arguments that match its inputSchema.\n")
	if len(o.Starting) > 0 {
		fmt.Fprintf(&b, "Still starting: %s.\n", names(o.Starting))
	}
	if len(o.Waiting) > 0 {
		fmt.Fprintf(&b, "Waiting for the user's approval: %s (mcpproxy quarantine inspect NAME).\n", names(o.Waiting))
	}
	b.WriteString(p.advice())
	return b.String()
}

// names lists configured server names, the first few of many.
func names(list []string) string {
	safe := make([]string, len(list))
	for i, name := range list {
		safe[i] = printable(name)
	}
	return capped(safe)
}

func capped(list []string) string {
	if more := len(list) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNames], ", "), more)
	}
	return strings.Join(list, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printable keeps a name on its line and short.
func printable(name string) string {
	return escape.Clip(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name), 60)
}

// plainText drops what could steer a terminal, keeping line breaks, and cuts
// to limit characters.
func plainText(text string, limit int) string {
	return escape.Clip(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text), limit)
}
