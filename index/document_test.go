package index

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, schema string
		params       []string
		notes        string
	}{
		{"absent", ``, nil, ""},
		{"no schema", `[1]`, nil, ""},
		{"broken", `{"properties":`, nil, ""},
		{"flat", `{"title":"Args","properties":{"repo":{"description":"Owner and name"},"state":{"enum":["open","closed",3]}}}`,
			[]string{"repo", "state", "open", "closed"}, "Owner and name"},
		{"nested", `{"properties":{"filter":{"type":"object","properties":{"since":{"description":"A date"}}}}}`,
			[]string{"filter", "since"}, "A date"},
		{"items", `{"properties":{"rows":{"items":{"properties":{"cell":{}}}}}}`, []string{"rows", "cell"}, ""},
		{"defs", `{"$defs":{"Page":{"properties":{"size":{"description":"Rows on it"}}}},"properties":{"p":{"$ref":"#/$defs/Page"}}}`,
			[]string{"p", "size"}, "Rows on it"},
		{"alternatives", `{"anyOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}`, []string{"a", "b"}, ""},
		{"wrong types", `{"properties":{"a":true,"b":{"description":5,"enum":"x"}}}`, []string{"a", "b"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := readSchema(json.RawMessage(c.schema))
			if !slices.Equal(got.params, c.params) || strings.Join(got.notes, "|") != c.notes {
				t.Errorf("readSchema(%s) = %q, %q; want %q, %q", c.schema, got.params, got.notes, c.params, c.notes)
			}
		})
	}
}

func TestReadSchema_StaysWithinItsCaps(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"properties":{"x":`, 500) + `{}` + strings.Repeat(`}}`, 500)
	if got := readSchema(json.RawMessage(deep)); len(got.params) > maxSchemaDepth+1 {
		t.Errorf("%d parameters of a deep schema", len(got.params))
	}
	properties := make(map[string]any)
	for i := range 1000 {
		properties[strings.Repeat("p", i+1)] = map[string]any{"description": strings.Repeat("padding ", 50), "enum": []string{"a", "b"}}
	}
	wide, err := json.Marshal(map[string]any{"properties": properties})
	if err != nil {
		t.Fatal(err)
	}
	got := readSchema(wide)
	if len(got.params) > maxParams || got.bytes > maxParamBytes {
		t.Errorf("%d parameters, %d bytes of notes of a wide schema", len(got.params), got.bytes)
	}
}

func FuzzReadSchema(f *testing.F) {
	f.Add([]byte(`{"properties":{"a":{"description":"é","items":[{"enum":["x"]}]}},"$defs":{"b":{"allOf":[{}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := readSchema(raw)
		if len(got.params) > maxParams || got.bytes > maxParamBytes {
			t.Errorf("readSchema(%q) exceeds its caps", raw)
		}
		for _, s := range slices.Concat(got.params, got.notes) {
			if !utf8.ValidString(s) {
				t.Errorf("readSchema(%q) gave %q", raw, s)
			}
		}
		if again := readSchema(raw); !slices.Equal(again.params, got.params) {
			t.Errorf("readSchema(%q) depends on chance", raw)
		}
	})
}
