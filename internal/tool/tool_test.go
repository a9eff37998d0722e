package tool_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want tool.ID
		ok   bool
	}{
		{"github:create_issue", tool.ID{Server: "github", Name: "create_issue"}, true},
		{"a:b:c", tool.ID{Server: "a", Name: "b:c"}, true},
		{"a::", tool.ID{Server: "a", Name: ":"}, true},
		{"a: b\x00", tool.ID{Server: "a", Name: " b\x00"}, true},
		{"", tool.ID{}, false},
		{"a", tool.ID{}, false},
		{":b", tool.ID{}, false},
		{"a:", tool.ID{}, false},
		{":", tool.ID{}, false},
		{strings.Repeat("é", 10_000), tool.ID{}, false},
	}
	for _, tt := range tests {
		got, err := tool.ParseID(tt.in)
		if got != tt.want || (err == nil) != tt.ok || (err != nil && !errors.Is(err, tool.ErrBadID)) {
			t.Errorf("ParseID(%.40q) = %v, %v, want %v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("ParseID(%.40q): the error has %d bytes", tt.in, len(err.Error()))
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"a:b", "a:b:c", "::", "\xff:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := tool.ParseID(s)
		if err != nil {
			return
		}
		if id.String() != s || id.Server == "" || id.Name == "" || strings.Contains(id.Server, ":") {
			t.Fatalf("ParseID(%q) = %#v", s, id)
		}
		if again, err := tool.ParseID(id.String()); err != nil || again != id {
			t.Fatalf("round trip of %#v: %#v, %v", id, again, err)
		}
	})
}

func TestDecode(t *testing.T) {
	t.Parallel()
	raw := `{"name":"x","title":"X","description":"does x","inputSchema":{"type":"object","x-n":1152921504606846977},` +
		`"outputSchema":{"$ref":"#/$defs/a"},"annotations":{"title":"T","readOnlyHint":true,"destructiveHint":false},"_meta":{"a":1}}`
	got, err := tool.Decode("srv", json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != (tool.ID{Server: "srv", Name: "x"}) || got.Title != "X" || got.Description != "does x" || got.Annotations.Title != "T" {
		t.Errorf("Decode = %+v", got)
	}
	if string(got.InputSchema) != `{"type":"object","x-n":1152921504606846977}` || string(got.OutputSchema) != `{"$ref":"#/$defs/a"}` || string(got.Raw) != raw {
		t.Errorf("schemas are not the bytes sent: %s %s", got.InputSchema, got.OutputSchema)
	}
}

func TestDecode_OddFieldsAreAbsent(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{"name":"x","title":7,"description":["a"],"inputSchema":null,"outputSchema":null,"annotations":"none"}`,
		`{"name":"x","annotations":null}`,
		`{"name":"x","annotations":{"title":{},"readOnlyHint":"yes","destructiveHint":0}}`,
		` {"name" : "x"} `,
		`{"NAME":"y","Title":"no","name":"x"}`,
	} {
		got, err := tool.Decode("s", json.RawMessage(raw))
		if err != nil {
			t.Errorf("Decode(%s) = %v", raw, err)
			continue
		}
		if got.ID.Name != "x" || got.Title != "" || got.Description != "" || got.InputSchema != nil || got.OutputSchema != nil || got.Annotations != (tool.Annotations{}) {
			t.Errorf("Decode(%s) = %+v", raw, got)
		}
		if got.Access() != tool.Destructive {
			t.Errorf("Decode(%s).Access() = %v", raw, got.Access())
		}
	}
	one, err := tool.Decode("s", json.RawMessage(`{"name":"x","annotations":{"readOnlyHint":true,"title":5}}`))
	if err != nil || one.Access() != tool.Read {
		t.Errorf("one odd annotation hides the others: %+v, %v", one, err)
	}
}

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, `null`, `7`, `"x"`, `[]`, `{}`, `{"name":""}`, `{"name":null}`, `{"name":1}`, `{"name":"x"`, `{"name":"x"}{}`, "{\"name\":\"x\"}\x00"} {
		if got, err := tool.Decode("s", json.RawMessage(raw)); !errors.Is(err, tool.ErrBadTool) {
			t.Errorf("Decode(%s) = %+v, %v, want ErrBadTool", raw, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"x","annotations":{"readOnlyHint":true}}`))
	f.Add([]byte(`{"name":"\ud800","inputSchema":[1e999]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := tool.Decode("s", raw)
		if err != nil {
			if !errors.Is(err, tool.ErrBadTool) {
				t.Fatalf("Decode(%q) = %v", raw, err)
			}
			return
		}
		if got.ID.Name == "" || string(got.Raw) != string(raw) {
			t.Fatalf("Decode(%q) = %+v", raw, got)
		}
		_ = got.Access().String()
		if got.Hash().IsZero() {
			t.Fatal("zero hash")
		}
	})
}

func TestTool_Access(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	tests := []struct {
		read, destructive *bool
		want              tool.Access
		text              string
	}{
		{nil, nil, tool.Destructive, "destructive"},
		{&no, nil, tool.Destructive, "destructive"},
		{&no, &yes, tool.Destructive, "destructive"},
		{&no, &no, tool.Write, "write"},
		{nil, &no, tool.Write, "write"},
		{&yes, nil, tool.Read, "read"},
		{&yes, &yes, tool.Read, "read"}, // destructiveHint means something only where readOnlyHint is false
	}
	for _, tt := range tests {
		got := tool.Tool{Annotations: tool.Annotations{ReadOnlyHint: tt.read, DestructiveHint: tt.destructive}}.Access()
		if got != tt.want || got.String() != tt.text {
			t.Errorf("Access = %v, want %v", got, tt.want)
		}
	}
}
