package tool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
)

func hashOf(raw string) tool.Hash { return tool.Tool{Raw: json.RawMessage(raw)}.Hash() }

func TestTool_Hash_LayoutDoesNotCount(t *testing.T) {
	t.Parallel()
	base := `{"name":"x","inputSchema":{"type":"object","properties":{"a":{"type":"string"},"b":{"enum":[1,2.50,"é<"]}}}}`
	same := []string{
		`{"inputSchema":{"properties":{"b":{"enum":[1,2.50,"é<"]},"a":{"type":"string"}},"type":"object"},"name":"x"}`,
		" {\n\t\"name\" : \"x\" ,\r\n \"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"enum\":[ 1, 2.50 ,\"\\u00e9\\u003c\"]}}}}\n",
	}
	for _, raw := range same {
		if hashOf(raw) != hashOf(base) {
			t.Errorf("hash differs for %s", raw)
		}
	}
}

// rich has every place where a definition can hide text from a reviewer.
const rich = `{"name":"send","title":"Send","description":"Sends.",
"inputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","type":"object","title":"Args","description":"d",
 "properties":{"to":{"type":"string","title":"To","description":"who","default":"me","enum":["me","you"],"pattern":"^a","format":"email","examples":["a@b"],"x-note":"n","minLength":1},
  "n":{"type":"integer","minimum":0,"const":1152921504606846976},"o":{"oneOf":[{"type":"null"},{"$ref":"#/$defs/p"}]}},
 "$defs":{"p":{"type":"array","items":{"description":"deep"},"prefixItems":[true]}},"required":["to"],"additionalProperties":false,"$comment":"c"},
"outputSchema":{"type":"object","properties":{"ok":{"description":"fine"}}},
"annotations":{"title":"S","readOnlyHint":false,"destructiveHint":true,"idempotentHint":false,"openWorldHint":true,"x-new":null},
"icons":[{"src":"https://a/i.png","mimeType":"image/png","sizes":["48x48"]}],"_meta":{"vendor/a":{"b":1}},"execution":{"taskSupport":"forbidden"},"x-new-field":""}`

// mutate calls f with a copy of root for every path, one thing changed in each:
// a leaf gets another value, an object loses a key, gains one, or has one renamed, and an array
// gains an element.
func mutate(t *testing.T, root any, f func(path string, changed any)) {
	var walk func(path string, v any, put func(any))
	walk = func(path string, v any, put func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for k, child := range v {
				walk(path+"/"+k, child, func(c any) { v[k] = c })
				delete(v, k)
				f(path+"/"+k+" removed", root)
				v[k+" "] = child
				f(path+"/"+k+" renamed", root)
				delete(v, k+" ")
				v[k] = child
			}
			v["x-added"] = true
			f(path+"/x-added", root)
			delete(v, "x-added")
		case []any:
			for i, child := range v {
				walk(fmt.Sprintf("%s/%d", path, i), child, func(c any) { v[i] = c })
			}
			put(append(append([]any(nil), v...), "added"))
			f(path+" longer", root)
			put(v)
		default:
			for _, other := range []any{"canary", false, nil, json.Number("3")} {
				if fmt.Sprintf("%T%v", v, v) != fmt.Sprintf("%T%v", other, other) {
					put(other)
					f(fmt.Sprintf("%s = %v", path, other), root)
				}
			}
			put(v)
		}
	}
	walk("", root, func(any) { t.Fatal("the root is no leaf") })
}

func TestTool_Hash_CoversEveryPath(t *testing.T) {
	t.Parallel()
	d := json.NewDecoder(strings.NewReader(rich))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		t.Fatal(err)
	}
	seen := map[tool.Hash]string{hashOf(rich): "the original"}
	mutate(t, root, func(path string, changed any) {
		raw, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		h := hashOf(string(raw))
		if before, taken := seen[h]; taken {
			t.Errorf("%s hashes like %s", path, before)
		}
		seen[h] = path
	})
	if len(seen) < 200 {
		t.Errorf("only %d mutations", len(seen))
	}
	if raw, _ := json.Marshal(root); hashOf(string(raw)) != hashOf(rich) {
		t.Error("the walk left something changed")
	}
}

func TestTool_Hash_TellsApart(t *testing.T) {
	t.Parallel()
	deep := func(n int, core string) string { return strings.Repeat("[", n) + core + strings.Repeat("]", n) }
	tests := []struct{ name, a, b string }{
		{"2^60 and 2^60+1", `{"n":1152921504606846976}`, `{"n":1152921504606846977}`},
		{"1 and 1.0", `{"n":1}`, `{"n":1.0}`},
		{"1e2 and 100", `{"n":1e2}`, `{"n":100}`},
		{"0 and -0", `{"n":0}`, `{"n":-0}`},
		{"number and its text", `{"n":1}`, `{"n":"1"}`},
		{"null and absent", `{"n":null}`, `{}`},
		{"empty string and absent", `{"n":""}`, `{}`},
		{"array order", `[1,2]`, `[2,1]`},
		{"array and object", `[]`, `{}`},
		{"composed and decomposed", `"é"`, `"e\u0301"`},
		{"zero width", `"ab"`, `"a\u200bb"`},
		{"case of a key", `{"a":1}`, `{"A":1}`},
		{"duplicate key added", `{"a":1}`, `{"a":1,"a":1}`},
		{"duplicate keys: which is first", `{"a":1,"a":2}`, `{"a":2,"a":1}`},
		{"duplicate keys: the hidden one", `{"a":1,"b":0,"a":2}`, `{"a":3,"b":0,"a":2}`},
		{"key that needs quotes", `{"a\":1,\"b":1}`, `{"a":1,"b":1}`},
		{"boundaries", `{"ab":"c"}`, `{"a":"bc"}`},
		{"below the depth that is followed", deep(500, "1"), deep(500, "2")},
		{"beyond it", deep(3000, "1"), deep(3000, "2")},
		{"broken text", `{"a":`, `{"a":1`},
		{"bytes that are not UTF-8", "\"\xff\"", "\"\xfe\""},
		{"not UTF-8 and the replacement", "\"\xff\"", `"�"`},
		{"lone surrogates", `"\ud800"`, `"\ud801"`},
		{"lone surrogate and the replacement", `"\ud800"`, `"\ufffd"`},
		{"lone surrogate in a key", `{"\ud800":1}`, `{"\ud801":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if hashOf(tt.a) == hashOf(tt.b) {
				t.Errorf("%.60s and %.60s have one hash", tt.a, tt.b)
			}
			if again := hashOf(tt.a); again != hashOf(strings.Clone(tt.a)) || again.IsZero() {
				t.Error("the hash is not stable")
			}
		})
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{` { "b" : 1 , "a" : [ true , null , "x" ] } `, `{"a":[true,null,"x"],"b":1}`},
		{`{"é":1,"z":2,"\u0001":3}`, `{"\u0001":3,"z":2,"é":1}`},
		{`"<>&\u2028\/\""`, `"<>&\u2028/\""`},
		{`{"a":2,"b":0,"a":1}`, `{"a":2,"a":1,"b":0}`},
		{`1152921504606846977`, `1152921504606846977`},
		{`[1.0,1e400,-0]`, `[1.0,1e400,-0]`},
		{`{}`, `{}`},
		{`"\ud83d\ude00"`, `"😀"`},
	}
	for _, tt := range tests {
		if got, err := tool.Canonical([]byte(tt.in)); err != nil || string(got) != tt.want {
			t.Errorf("Canonical(%s) = %s, %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestCanonical_Refuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{``, ` `, `{`, `{"a"}`, `[1,]`, `[1 2]`, `{"a":1,}`, `{1:2}`, `1 2`, `{}]`, `{}}`, `nul`, "\"\x01\"", "\"\xff\"", "\ufeff{}", `"\ud800"`, `{"a\udc00":1}`,
		strings.Repeat("[", 600) + strings.Repeat("]", 600), strings.Repeat(`{"a":`, 100_000)} {
		if got, err := tool.Canonical([]byte(in)); !errors.Is(err, tool.ErrNotCanonical) {
			t.Errorf("Canonical(%.40q) = %.40s, %v, want ErrNotCanonical", in, got, err)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{rich, `{"a":1,"a":2}`, `"\ud800\ud83d\ude00"`, `[1e999,-0,1.10]`, "\"\u2028\"", `{}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := tool.Canonical(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("Canonical accepts %q, which is no JSON", raw)
		}
		twice, err := tool.Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("Canonical(%q) = %q, then %q, %v", raw, once, twice, err)
		}
		var indented bytes.Buffer
		if json.Indent(&indented, raw, "", "\t") == nil {
			if again, err := tool.Canonical(indented.Bytes()); err != nil || !bytes.Equal(once, again) {
				t.Fatalf("white space counts: %q, %q, %v", once, again, err)
			}
		}
	})
}

func TestHash_Text(t *testing.T) {
	t.Parallel()
	h := hashOf(`{}`)
	var back tool.Hash
	if err := back.UnmarshalText([]byte(h.String())); err != nil || back != h || len(h.String()) != 64 {
		t.Errorf("round trip of %s: %s, %v", h, back, err)
	}
	for _, text := range []string{"", "zz", h.String()[:62], h.String() + "00", strings.Repeat("g", 64)} {
		if err := back.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("UnmarshalText(%q) succeeded", text)
		}
	}
	if back != h {
		t.Error("a failed UnmarshalText changed the hash")
	}
}

func BenchmarkTool_Hash(b *testing.B) {
	t := tool.Tool{Raw: json.RawMessage(rich)}
	b.ReportAllocs()
	b.SetBytes(int64(len(rich)))
	for b.Loop() {
		t.Hash()
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for raw, plain := range map[string]bool{
		`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`: true,
		`"a"`:                                      true,
		`{"a":1,"a":1}`:                            false,
		`{"a":1,"b":0,"\u0061":2}`:                 false,
		`{"x":[{"b":{"p":1,"q":2,"p":3}}]}`:        false,
		`{"a":"\ud800","x":{"b":1,"b":2}}`:         false,
		"{\"a\":\"\xff\",\"x\":{\"b\":1,\"b\":2}}": false,
		`{"a":`: false,
		strings.Repeat("[", 600) + `{"b":1,"b":2}` + strings.Repeat("]", 600): false,
	} {
		if err := tool.Plain([]byte(raw)); (err == nil) != plain {
			t.Errorf("Plain(%.60q) = %v, want plain %v", raw, err, plain)
		}
	}
}
