package upstream

import (
	"encoding/json"
	"errors"
	"testing"

	"mcpproxy/internal/tool"
)

func TestLister_KeepsTheFirstOfEqualNames(t *testing.T) {
	t.Parallel()
	l := newLister("s", toolSource)
	more, err := l.add(json.RawMessage(`{"tools":[{"name":"a","v":1},{"name":"a","v":2},7,{"name":""}],"nextCursor":"x"}`))
	if !more || err != nil {
		t.Fatalf("add = %v, %v", more, err)
	}
	more, err = l.add(json.RawMessage(`{"tools":[{"name":"a","v":3},{"name":"b"}],"nextCursor":""}`))
	if more || err != nil {
		t.Fatalf("add = %v, %v", more, err)
	}
	got := l.done()
	if len(got.tools) != 2 || string(got.tools[0].Raw) != `{"name":"a","v":1}` || got.note == "" {
		t.Errorf("tools = %v, note = %q", got.tools, got.note)
	}
}

func TestListing_Check(t *testing.T) {
	t.Parallel()
	l := newLister("s", toolSource)
	if _, err := l.add(json.RawMessage(`{"tools":[{"name":"a"}]}`)); err != nil {
		t.Fatal(err)
	}
	got, other := l.done(), tool.Hash{1}
	for _, c := range []struct {
		name string
		l    *listing
		tool string
		want tool.Hash
		ok   bool
	}{
		{"unchecked", got, "nowhere", tool.Hash{}, true},
		{"as wanted", got, "a", got.tools[0].Hash(), true},
		{"changed", got, "a", other, false},
		{"gone", got, "b", got.tools[0].Hash(), false},
		{"never listed", nil, "a", other, false},
	} {
		if err := c.l.check(tool.ID{Server: "s", Name: c.tool}, c.want); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrChanged) {
			t.Errorf("%s: check = %v, want ok %v", c.name, err, c.ok)
		}
	}
}

func FuzzLister_Add(f *testing.F) {
	f.Add([]byte(`{"tools":[{"name":"a"},{"name":"a"},null,[]],"nextCursor":"c"}`))
	f.Add([]byte(`{"tools":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, page []byte) {
		l := newLister("s", toolSource)
		for range 2 {
			if more, err := l.add(page); !more || err != nil {
				break
			}
		}
		got := l.done()
		if !got.same(got) || len(got.index) != len(got.tools) {
			t.Errorf("listing = %+v", got)
		}
	})
}

func FuzzIsObject_Params(f *testing.F) {
	f.Add([]byte(`{"progressToken":1,"x":{}}`))
	f.Add([]byte(` {`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 || !isObject(raw) {
			return
		}
		var v struct{ ProgressToken json.Number }
		if err := json.Unmarshal(withToken(raw, 7), &v); err != nil || !json.Valid(withToken(raw, 7)) {
			t.Errorf("withToken(%q) = %q, %v", raw, withToken(raw, 7), err)
		}
		_ = isError(raw)
	})
}
