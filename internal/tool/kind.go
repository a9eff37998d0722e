package tool

import (
	"encoding/json"
	"fmt"
	"strings"

	"mcpproxy/internal/escape"
)

// Kind says what of a server a definition describes. The zero Kind is a tool.
type Kind string

// The kinds besides tools. All of them are text that an agent reads, so all of
// them are [Tool] values and pass the same gate.
const (
	Prompt       Kind = "prompt"       // of prompts/list, named by "name"
	Resource     Kind = "resource"     // of resources/list, named by "uri"
	Template     Kind = "template"     // of resources/templates/list, named by "uriTemplate"
	Instructions Kind = "instructions" // of initialize: {"instructions":TEXT}, one per server
)

// Kinds are all kinds in the order in which they are shown.
var Kinds = []Kind{"", Prompt, Resource, Template, Instructions}

// maxItemName bounds the names of everything but tools, in bytes.
const maxItemName = 2048

// String returns "tool" for the zero Kind.
func (k Kind) String() string {
	if k == "" {
		return "tool"
	}
	return string(k)
}

// ParseKind is the opposite of [Kind.String]; empty text means a tool. It
// returns an error wrapping [ErrBadID] for other words.
func ParseKind(s string) (Kind, error) {
	for _, k := range Kinds {
		if s == k.String() || s == "" {
			return k, nil
		}
	}
	return "", fmt.Errorf("%w: no kind %q: there are tool, prompt, resource, template and instructions", ErrBadID, escape.Clip(s, 80))
}

// key is the member that names a definition of kind k.
func (k Kind) key() string {
	switch k {
	case Resource:
		return "uri"
	case Template:
		return "uriTemplate"
	default:
		return "name"
	}
}

// DecodeAs is [Decode] for any kind: of the decoded fields only ID, Title,
// Description and Raw are set for what is not a tool. Names over 2,048 bytes are
// refused.
func DecodeAs(kind Kind, server string, raw json.RawMessage) (Tool, error) {
	if kind == "" {
		return Decode(server, raw)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Tool{}, fmt.Errorf("%w: not a JSON object", ErrBadTool)
	}
	t := Tool{ID: ID{Server: server, Kind: kind, Name: string(Instructions)}, Raw: raw}
	if kind == Instructions {
		lenient(fields["instructions"], &t.Description)
		return t, nil
	}
	t.ID.Name = ""
	if json.Unmarshal(fields[kind.key()], &t.ID.Name) != nil || t.ID.Name == "" {
		return Tool{}, fmt.Errorf("%w: no %s", ErrBadTool, kind.key())
	}
	if len(t.ID.Name) > maxItemName {
		return Tool{}, fmt.Errorf("%w: %s over %d bytes", ErrBadTool, kind.key(), maxItemName)
	}
	lenient(fields["title"], &t.Title)
	lenient(fields["description"], &t.Description)
	return t, nil
}

// Of returns the definitions of one kind, in their order.
func Of(kind Kind, list []Tool) []Tool {
	var some []Tool
	for _, t := range list {
		if t.ID.Kind == kind {
			some = append(some, t)
		}
	}
	return some
}

// Target names the item for a reviewer: "server:name" for a tool,
// "server:prompt/name" and so on for the others, "server:instructions". A tool
// whose own name reads like one of those is "server:tool/name". [ParseTarget] is
// the opposite.
func (id ID) Target() string {
	name := id.Name
	switch {
	case id.Kind == Instructions:
		name = string(Instructions)
	case id.Kind != "":
		name = string(id.Kind) + "/" + name
	default:
		if kind, _ := splitTarget(name); kind != "" || strings.HasPrefix(name, "tool/") {
			name = "tool/" + name
		}
	}
	return id.Server + ":" + name
}

// ParseTarget reads what [ID.Target] wrote. Without a colon, or with nothing
// behind it, Name is empty and the server itself is meant.
func ParseTarget(s string) ID {
	server, rest, _ := strings.Cut(s, ":")
	if name, found := strings.CutPrefix(rest, "tool/"); found && name != "" {
		return ID{Server: server, Name: name}
	}
	kind, name := splitTarget(rest)
	return ID{Server: server, Kind: kind, Name: name}
}

// splitTarget takes the kind from what stands behind the colon of a target.
func splitTarget(rest string) (Kind, string) {
	if rest == string(Instructions) {
		return Instructions, rest
	}
	for _, kind := range []Kind{Prompt, Resource, Template} {
		if name, found := strings.CutPrefix(rest, string(kind)+"/"); found && name != "" {
			return kind, name
		}
	}
	return "", rest
}
