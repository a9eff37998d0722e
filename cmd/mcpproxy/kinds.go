package main

import (
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
)

// counted says how many definitions of which kinds there are: "2 tools, 1
// prompt". No definitions are "0 tools".
func counted(list []client.Tool) string {
	counts := map[tool.Kind]int{}
	for _, t := range list {
		if kind, err := tool.ParseKind(t.Kind); err == nil {
			counts[kind]++
		}
	}
	var parts []string
	for _, kind := range tool.Kinds {
		switch n := counts[kind]; {
		case kind == tool.Instructions && n > 0:
			parts = append(parts, "instructions")
		case kind == "" && (n > 0 || len(list) == 0):
			parts = append(parts, plural(n, "tool"))
		case kind == tool.Template && n > 0:
			parts = append(parts, plural(n, "resource template"))
		case n > 0:
			parts = append(parts, plural(n, kind.String()))
		}
	}
	return strings.Join(parts, ", ")
}

// targetOf is what the commands call a definition; see [tool.ID.Target].
func targetOf(server, kind, name string) string {
	k, err := tool.ParseKind(kind)
	if err != nil {
		return server + ":" + name
	}
	return tool.ID{Server: server, Kind: k, Name: name}.Target()
}

// definitionOf reads what REST carried.
func definitionOf(t client.Tool) (tool.Tool, error) {
	kind, err := tool.ParseKind(t.Kind)
	if err != nil {
		return tool.Tool{}, err
	}
	return tool.DecodeAs(kind, t.Server, t.Definition)
}
