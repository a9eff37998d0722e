package proxy

import (
	"testing"

	"mcpproxy/internal/tool"
)

func TestShown(t *testing.T) {
	t.Parallel()
	hit := func(hash byte, f form) []found {
		return []found{{def: &definition{tool: tool.Tool{ID: tool.ID{Server: "s", Name: "t"}}, hash: tool.Hash{hash}}, form: f}}
	}
	id := tool.ID{Server: "s", Name: "t"}
	var s shown
	if s.outdated(id, tool.Hash{1}) {
		t.Error("a client that was shown nothing knows another text")
	}
	s.note(hit(1, full))
	s.note(hit(2, nameOnly))
	if s.outdated(id, tool.Hash{1}) {
		t.Error("an id alone counts as a text")
	}
	if !s.outdated(id, tool.Hash{2}) {
		t.Error("another text passes")
	}
	s.note(hit(2, compact))
	if s.outdated(id, tool.Hash{2}) {
		t.Error("the text shown last does not pass")
	}
	if !s.first("s") || s.first("s") || !s.first("other") {
		t.Error("first calls are not told from later ones")
	}
}
