package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrBadTool is wrapped by every error of [Decode].
var ErrBadTool = errors.New("bad tool definition")

// Annotations are the behaviour hints of MCP 2025-03-26 (ToolAnnotations). A
// nil pointer means that the upstream did not say. They are claims of the
// upstream, not facts.
type Annotations struct {
	Title           string `json:"title,omitempty"`
	ReadOnlyHint    *bool  `json:"readOnlyHint,omitempty"`
	DestructiveHint *bool  `json:"destructiveHint,omitempty"`
	IdempotentHint  *bool  `json:"idempotentHint,omitempty"`
	OpenWorldHint   *bool  `json:"openWorldHint,omitempty"`
}

// Tool is one definition of tools/list. Treat it as immutable: it is shared
// between snapshots without copying.
type Tool struct {
	ID           ID
	Title        string
	Description  string
	InputSchema  json.RawMessage // as sent; nil if absent or null
	OutputSchema json.RawMessage // as sent; nil if absent or null
	Annotations  Annotations
	Raw          json.RawMessage // the whole definition as the upstream sent it
}

// Decode reads one element of a tools/list result. Raw keeps the bytes of raw;
// the caller must not change them afterwards. Fields of a wrong type other than
// name are treated as absent, because one odd field must not hide a tool from
// review. It returns an error wrapping [ErrBadTool] if raw is not an object or
// has no name.
func Decode(server string, raw json.RawMessage) (Tool, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Tool{}, fmt.Errorf("%w: not a JSON object", ErrBadTool)
	}
	t := Tool{ID: ID{Server: server}, Raw: raw}
	if json.Unmarshal(fields["name"], &t.ID.Name) != nil || t.ID.Name == "" {
		return Tool{}, fmt.Errorf("%w: no name", ErrBadTool)
	}
	lenient(fields["title"], &t.Title)
	lenient(fields["description"], &t.Description)
	t.Annotations = decodeAnnotations(fields["annotations"])
	t.InputSchema = present(fields["inputSchema"])
	t.OutputSchema = present(fields["outputSchema"])
	return t, nil
}

func decodeAnnotations(raw json.RawMessage) Annotations {
	var a Annotations
	var fields map[string]json.RawMessage
	lenient(raw, &fields)
	lenient(fields["title"], &a.Title)
	lenient(fields["readOnlyHint"], &a.ReadOnlyHint)
	lenient(fields["destructiveHint"], &a.DestructiveHint)
	lenient(fields["idempotentHint"], &a.IdempotentHint)
	lenient(fields["openWorldHint"], &a.OpenWorldHint)
	return a
}

// lenient decodes raw into dst and leaves dst alone if raw does not fit.
func lenient[T any](raw json.RawMessage, dst *T) {
	var v T
	if len(raw) > 0 && json.Unmarshal(raw, &v) == nil {
		*dst = v
	}
}

func present(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil
	}
	return raw
}

// Access is what a tool does to the world as far as its annotations say.
type Access int

// The three levels, mildest first.
const (
	Read Access = iota
	Write
	Destructive
)

// Access classifies t by its annotations with the defaults of the MCP
// specification: readOnlyHint false, destructiveHint true. A tool that says
// nothing is therefore Destructive.
func (t Tool) Access() Access {
	switch a := t.Annotations; {
	case a.ReadOnlyHint != nil && *a.ReadOnlyHint:
		return Read
	case a.DestructiveHint != nil && !*a.DestructiveHint:
		return Write
	default:
		return Destructive
	}
}

// String returns "read", "write" or "destructive".
func (a Access) String() string {
	return [...]string{"read", "write", "destructive"}[a]
}
