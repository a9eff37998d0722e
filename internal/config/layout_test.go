package config

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// extra draws what may stand between two tokens.
func extra(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n", "\n  ", "\n\t", "  ", " // c\n", "// ] }\n  ", "/* , */", " /* a\n b */ ", "\n\n", "\r\n  "}).Draw(t, "extra")
}

// file draws a configuration with n servers in any layout.
func file(t *rapid.T) (text string, names []string) {
	var b strings.Builder
	put := func(tokens ...string) {
		for _, token := range tokens {
			b.WriteString(extra(t) + token)
		}
	}
	array := rapid.Bool().Draw(t, "array")
	open, end := "{", "}"
	if array {
		open, end = "[", "]"
	}
	put("{")
	if rapid.Bool().Draw(t, "before") {
		put(`"top_k"`, ":", "3", ",")
	}
	put(`"mcpServers"`, ":", open)
	n := rapid.IntRange(0, 4).Draw(t, "n")
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		names = append(names, name)
		if array {
			put("{", `"name"`, ":", `"`+name+`"`, ",")
		} else {
			put(`"`+name+`"`, ":", "{")
		}
		put(`"command"`, ":", `"x"`)
		if rapid.Bool().Draw(t, "trailing") {
			put(",")
		}
		put("}")
		if i < n-1 || rapid.Bool().Draw(t, "trailing") {
			put(",")
		}
	}
	put(end)
	if rapid.Bool().Draw(t, "after") {
		put(",", `"tools_limit"`, ":", "9")
	}
	put("}", "")
	return b.String(), names
}

func servers(t *rapid.T, e *editor) string {
	c, _, err := Parse(e.Bytes())
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, e.Bytes())
	}
	names := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		names[i] = fmt.Sprint(s.Name, " ", s.Enabled)
	}
	return fmt.Sprint(c.TopK, c.ToolsLimit, names)
}

func comments(text []byte) int {
	return strings.Count(string(text), "// c") + strings.Count(string(text), "/* ,") + strings.Count(string(text), "/* a")
}

func TestEditor_AnyLayout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, names := file(t)
		e, err := newEditor([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		was := servers(t, e)
		must := func(err error) {
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
		must(e.add("new", []Field{{Key: "command", Value: "x"}, {Key: "args", Value: []string{"// ]"}}}))
		if want := strings.TrimSuffix(was, "]") + " new true]"; servers(t, e) != strings.Replace(want, "[ ", "[", 1) {
			t.Fatalf("with another: %s\n%s", servers(t, e), e.Bytes())
		}
		must(e.update("new", []Field{{Key: "enabled", Value: false}, {Key: "cwd", Value: "/x"}}))
		must(e.update("new", []Field{{Key: "enabled", Value: nil}, {Key: "cwd", Value: nil}}))
		if got := comments(e.Bytes()); got != comments([]byte(text)) {
			t.Fatalf("%d comments became %d\n%s", comments([]byte(text)), got, e.Bytes())
		}
		must(e.remove("new"))
		if got := string(e.Bytes()); len(names) > 0 && got != text {
			t.Fatalf("not as before:\n%q\n%q", text, got)
		}
		if servers(t, e) != was {
			t.Fatalf("without it: %s, want %s", servers(t, e), was)
		}
		for len(names) > 0 {
			i := rapid.IntRange(0, len(names)-1).Draw(t, "gone")
			must(e.update(names[i], []Field{{Key: "enabled", Value: false}}))
			must(e.remove(names[i]))
			was = strings.Replace(was, names[i]+" true", "", 1)
			names = append(names[:i], names[i+1:]...)
			if got := servers(t, e); strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(was), "") {
				t.Fatalf("left %s, want %s\n%s", got, was, e.Bytes())
			}
		}
	})
}
