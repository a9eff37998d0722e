package proxy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"mcpproxy/internal/tool"
)

func TestRetrieve_Answers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.limits.ToolsLimit = 6
	for i := range 8 {
		w.add(t, "files", fmt.Sprintf(`{"name":"file_%d","description":"Read a file. Second sentence.","inputSchema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]},"annotations":{"readOnlyHint":true}}`, i))
	}
	w.add(t, "git", `{"name":"commit","description":"Commit changes","inputSchema":{"type":"object"}}`)
	a, _ := w.agent(t)
	for name, tt := range map[string]struct {
		args string
		want string // ids, or a part of the error
	}{
		"default top_k":     {`{"query":"file"}`, "files:file_0 files:file_1 files:file_2 files:file_3 files:file_4"},
		"limit":             {`{"query":"file","limit":2}`, "files:file_0 files:file_1"},
		"limit as string":   {`{"query":"file","limit":"2"}`, "files:file_0 files:file_1"},
		"cap":               {`{"query":"file","limit":99}`, "files:file_0 files:file_1 files:file_2 files:file_3 files:file_4 files:file_5"},
		"server":            {`{"query":"file commit","server":"git"}`, "git:commit"},
		"balanced":          {`{"queries":["file","commit","file"],"limit":4}`, "files:file_0 git:commit files:file_1 files:file_2"},
		"queries as string": {`{"queries":"[\"commit\"]"}`, "git:commit"},
		"query and queries": {`{"query":"commit","queries":["file"],"limit":2}`, "git:commit files:file_0"},
		"no query":          {`{}`, "query is missing"},
		"six queries":       {`{"queries":["a","b","c","d","e","f"]}`, "too many"},
		"bad detail":        {`{"query":"x","detail":"all"}`, "full, compact or names"},
		"bad limit":         {`{"query":"x","limit":"many"}`, "whole number"},
		"unknown argument":  {`{"query":"x","k":1}`, `unknown argument \"k\"`},
	} {
		t.Run(name, func(t *testing.T) {
			raw := a.tool("retrieve_tools", tt.args)
			r := decode(t, raw)
			if r.IsError {
				if !strings.Contains(string(raw), tt.want) || !strings.Contains(r.text(), "Next: ") {
					t.Errorf("error %q, want %q", r.text(), tt.want)
				}
				return
			}
			var ids []string
			for _, h := range hitsOf(t, r) {
				ids = append(ids, strings.Trim(string(h["id"]), `"`))
			}
			if got := strings.Join(ids, " "); got != tt.want {
				t.Errorf("ids = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRetrieve_Detail(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.add(t, "files", `{"name":"read_file","description":"Read a whole file from disk. Not for folders.","inputSchema":{"type":"object","properties":{"tail":{"type":"integer"},"path":{"type":"string"}},"required":["path"]},"annotations":{"readOnlyHint":true,"x":1},"outputSchema":{"type":"object"}}`)
	a, _ := w.agent(t)
	for name, tt := range map[string]struct {
		args string
		want string
	}{
		"default": {`{"query":"file"}`, `{"id":"files:read_file","server":"files","description":"Read a whole file from disk. Not for folders.","inputSchema":{"type":"object","properties":{"tail":{"type":"integer"},"path":{"type":"string"}},"required":["path"]},"annotations":{"readOnlyHint":true,"x":1},"call_with":"call_tool_read","score":1.0000}`},
		"full":    {`{"query":"file","detail":"full"}`, `{"id":"files:read_file","server":"files","description":"Read a whole file from disk. Not for folders.","inputSchema":{"type":"object","properties":{"tail":{"type":"integer"},"path":{"type":"string"}},"required":["path"]},"annotations":{"readOnlyHint":true,"x":1},"outputSchema":{"type":"object"},"call_with":"call_tool_read","score":1.0000}`},
		"compact": {`{"query":"file","detail":"compact"}`, `{"id":"files:read_file","server":"files","description":"Read a whole file from disk.","signature":"read_file(path: string, tail?: integer)","call_with":"call_tool_read","score":1.0000}`},
		"names":   {`{"query":"file","detail":"names"}`, `{"id":"files:read_file","call_with":"call_tool_read","score":1.0000}`},
	} {
		t.Run(name, func(t *testing.T) {
			sameValue(t, decode(t, a.tool("retrieve_tools", tt.args)).StructuredContent, `{"tools":[`+tt.want+`]}`)
		})
	}
}

func TestRetrieve_NothingSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		overview Overview
		args     string
		want     []string
	}{
		"nothing approved":   {Overview{Waiting: []string{"github", "files"}}, `{"query":"x"}`, []string{"2 servers wait", "github, files", "mcpproxy quarantine inspect github"}},
		"nothing at all":     {Overview{}, `{"query":"x"}`, []string{"No server", "upstream_servers"}},
		"starting":           {Overview{Starting: []string{"slow"}}, `{"query":"x"}`, []string{"starting: slow", "Ask again"}},
		"nothing matched":    {Overview{Servers: []ServerTools{{"git", 2}}}, `{"query":"x"}`, []string{"Nothing matched", "git", "other words"}},
		"unknown server":     {Overview{Servers: []ServerTools{{"git", 2}}}, `{"query":"x","server":"hub"}`, []string{`called "hub"`, "connected: git"}},
		"the server is held": {Overview{Waiting: []string{"hub"}}, `{"query":"x","server":"hub"}`, []string{"1 server waits", "hub"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.overview = tt.overview
			a, _ := w.agent(t)
			r := decode(t, a.tool("retrieve_tools", tt.args))
			var answer struct {
				Tools []any
				Note  string
			}
			if err := json.Unmarshal(r.StructuredContent, &answer); err != nil || answer.Tools == nil || r.IsError {
				t.Fatalf("%s: %v", r.StructuredContent, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(answer.Note, want) {
					t.Errorf("note %q lacks %q", answer.Note, want)
				}
			}
		})
	}
}

func TestRetrieve_SaysWhatIsStarting(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.add(t, "files", `{"name":"read_file"}`)
	w.overview.Starting = []string{"slow"}
	a, _ := w.agent(t)
	r := decode(t, a.tool("retrieve_tools", `{"query":"file"}`))
	if len(hitsOf(t, r)) != 1 || !strings.Contains(r.text(), "1 server is starting: slow") {
		t.Errorf("answer: %s", r.text())
	}
}

func TestRetrieve_NeverShowsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld()
	id := w.add(t, "files", `{"name":"read_file","description":"CANARY file"}`).ID
	w.held[id] = true
	a, _ := w.agent(t)
	for _, raw := range []json.RawMessage{
		a.tool("retrieve_tools", `{"query":"file"}`),
		a.tool("call_tool_destructive", `{"id":"files:read_file"}`),
		a.tool("call_tool_destructive", `{"id":"files:read_fil"}`),
	} {
		if strings.Contains(string(raw), "CANARY") {
			t.Errorf("held text was shown: %s", raw)
		}
	}
}

func TestFit_AlwaysParsesAndFits(t *testing.T) {
	t.Parallel()
	var c definitions
	var hits []found
	for i := range 12 {
		raw := fmt.Sprintf(`{"name":"tool_%d","description":%q,"inputSchema":{"type":"object","properties":{"a":{"type":"string","description":%q}}},"x":%q}`,
			i, strings.Repeat("wörd. ", 40*i), strings.Repeat("é", 100*i), strings.Repeat("z", 100))
		d, err := tool.Decode("s", json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		hits = append(hits, found{c.of(d), 0.5, whole})
	}
	last := 0
	for limit := 100; limit < 30000; limit += 37 {
		text := fit(append([]found(nil), hits...), limit, "")
		var answer struct {
			Tools []map[string]json.RawMessage
			Note  string
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("limit %d: %v", limit, err)
		}
		if n := utf8.RuneCount(text); n > limit {
			t.Fatalf("limit %d: answer of %d characters", limit, n)
		}
		if len(answer.Tools) < last {
			t.Errorf("limit %d: %d tools, fewer than with a smaller limit", limit, len(answer.Tools))
		}
		last = len(answer.Tools)
		if len(answer.Tools) < len(hits) && answer.Note == "" {
			t.Errorf("limit %d: tools left out without a note", limit)
		}
		if limit > 1500 && len(answer.Tools) != len(hits) {
			t.Errorf("limit %d: %d tools", limit, len(answer.Tools))
		}
	}
	if last != len(hits) {
		t.Errorf("%d tools at the end", last)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ schema, want string }{
		"required first": {`{"properties":{"title":{"type":"string"},"owner":{"type":"string"}},"required":["owner"]}`, "f(owner: string, title?: string)"},
		"enum":           {`{"properties":{"a":{"enum":["x","y"]}}}`, `f(a?: "x"|"y")`},
		"list":           {`{"properties":{"a":{"type":"array","items":{"type":"integer"}}}}`, "f(a?: integer[])"},
		"union":          {`{"properties":{"a":{"type":["string","null"]}}}`, "f(a?: string|null)"},
		"reference":      {`{"properties":{"a":{"$ref":"#/$defs/x"}}}`, "f(a?: any)"},
		"endless":        {`{"properties":{"a":{"type":"array","items":{"type":"array","items":{"type":"array"}}}}}`, "f(a?: array[][])"},
		"no schema":      {``, "f()"},
		"not an object":  {`true`, "f()"},
		"odd properties": {`{"properties":[1]}`, "f()"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := signature(tool.Tool{ID: tool.ID{Server: "s", Name: "f"}, InputSchema: json.RawMessage(tt.schema)})
			if got != tt.want {
				t.Errorf("signature = %s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzSignature(f *testing.F) {
	f.Add(`{"properties":{"a":{"type":["string",null],"enum":[1]}},"required":["a"]}`)
	f.Fuzz(func(t *testing.T, schema string) {
		d, err := tool.Decode("s", json.RawMessage(`{"name":"f","inputSchema":`+schema+`}`))
		if err != nil {
			return
		}
		var c definitions
		for _, form := range []form{whole, full, compact, nameOnly} {
			if text := string(c.of(d).form(form).json) + "}"; !json.Valid([]byte(text)) {
				t.Errorf("form %d does not parse: %s", form, text)
			}
		}
	})
}

func TestRetrieve_SaysThatNothingFits(t *testing.T) {
	t.Parallel()
	for fit, want := range map[float64]bool{0: false, .05: true, .9: false} {
		w := newWorld()
		w.fit = fit
		w.add(t, "files", `{"name":"read_file","description":"Read a file","inputSchema":{"type":"object"}}`)
		a, _ := w.agent(t)
		r := decode(t, a.tool("retrieve_tools", `{"query":"file"}`))
		if got := strings.Contains(r.text(), "Low confidence"); got != want || len(hitsOf(t, r)) != 1 {
			t.Errorf("fit %v: %s", fit, r.text())
		}
	}
}
