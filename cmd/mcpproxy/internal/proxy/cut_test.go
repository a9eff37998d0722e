package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"mcpproxy/upstream"
)

var keyPattern = regexp.MustCompile(`"key":"([A-Z0-9]+)"(?:,"offset":(\d+))?`)

// readAll follows the notes of a cut answer to its end and returns all pages.
func readAll(t *testing.T, a *agent, first result, limit int) (pages []string) {
	t.Helper()
	note := first.text()
	offset := "0"
	for range 10_000 {
		m := keyPattern.FindStringSubmatch(note)
		if m == nil {
			return pages
		}
		raw := a.tool("read_cache", fmt.Sprintf(`{"key":%q,"offset":%s}`, m[1], offset))
		if n := utf8.RuneCount(raw); n > limit {
			t.Fatalf("page of %d characters, limit %d", n, limit)
		}
		page := decode(t, raw)
		if page.IsError || len(page.Content) != 2 {
			t.Fatalf("page: %s", raw)
		}
		pages = append(pages, page.Content[0].Text)
		note = page.Content[1].Text
		if m := keyPattern.FindStringSubmatch(note); m != nil {
			offset = m[2]
		}
	}
	t.Fatal("read_cache never ends")
	return nil
}

func longResult(content string) json.RawMessage {
	return json.RawMessage(`{"content":[` + content + `]}`)
}

func textOf(s string) string { return `{"type":"text","text":` + string(quote(s)) + `}` }

func TestCut_ReadsOnToTheEnd(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("ä\"\n\x01日本語 line \u2028", 900)
	records := make([]string, 300)
	for i := range records {
		records[i] = fmt.Sprintf(`{"id":%d,"big":1152921504606846976,"name":"récord \"%d\""}`, i, i)
	}
	list := "[" + strings.Join(records, ",") + "]"
	for name, tt := range map[string]struct {
		raw  json.RawMessage
		unit string
		want string // all pages joined; for records one list
	}{
		"text":             {longResult(textOf(text)), "characters", text},
		"two texts":        {longResult(textOf(text) + "," + textOf("end")), "characters", text + "\n\nend"},
		"list":             {longResult(textOf(list)), "records", list},
		"structured":       {json.RawMessage(`{"content":[],"structuredContent":` + list + `}`), "records", list},
		"both the same":    {json.RawMessage(`{"content":[` + textOf(list) + `],"structuredContent":` + list + `}`), "records", list},
		"one long member":  {longResult(textOf(`{"total":300,"items":` + list + `,"next":null}`)), "records", list},
		"one record":       {longResult(textOf(`["` + strings.Repeat("x", 9000) + `","y"]`)), "characters", `["` + strings.Repeat("x", 9000) + `","y"]`},
		"text, structured": {json.RawMessage(`{"content":[` + textOf("summary") + `],"structuredContent":` + list + `}`), "characters", "summary\n\n" + list},
		"unknown member":   {json.RawMessage(`{"content":[],"x-long":"` + strings.Repeat("x", 9000) + `"}`), "characters", `{"content":[],"x-long":"` + strings.Repeat("x", 9000) + `"}`},
		"unknown block":    {longResult(`{"type":"odd","v":"` + strings.Repeat("x", 1200) + `"},{"type":"odd","v":"` + strings.Repeat("y", 1300) + `"}`), "characters", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const limit = 2000
			w := callWorld(t)
			w.limits.ResponseLimit = limit
			w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
				return upstream.Result{Raw: tt.raw}, nil
			}
			a, _ := w.agent(t)
			raw := a.tool("call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`)
			if n := utf8.RuneCount(raw); n > limit {
				t.Fatalf("answer of %d characters", n)
			}
			first := decode(t, raw)
			if !strings.Contains(first.text(), tt.unit) {
				t.Errorf("no %s in %s", tt.unit, first.text())
			}
			pages := readAll(t, a, first, limit)
			if len(pages) == 0 {
				t.Fatal("no pages")
			}
			switch {
			case tt.want == "":
			case tt.unit == "records":
				var all []json.RawMessage
				for _, page := range pages {
					var d document
					d.text = page
					if d.split(); d.records == nil && json.Unmarshal([]byte(page), &d.records) != nil {
						var m struct{ Items []json.RawMessage }
						if err := json.Unmarshal([]byte(page), &m); err != nil {
							t.Fatalf("page does not parse: %v: %s", err, page)
						}
						d.records = m.Items
					}
					all = append(all, d.records...)
				}
				got := append(append([]byte("["), bytes.Join(toBytes(all), []byte(","))...), ']')
				sameValue(t, got, tt.want)
			case strings.Join(pages, "") != tt.want:
				t.Errorf("pages differ from the whole: %.200q", strings.Join(pages, ""))
			}
		})
	}
}

func toBytes(list []json.RawMessage) (out [][]byte) {
	for _, r := range list {
		out = append(out, r)
	}
	return out
}

func TestCut_KeepsTheRest(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	w.limits.ResponseLimit = 2000
	small := `{"type":"image","mimeType":"image/png","data":"AAAA"}`
	a, _ := w.agent(t)
	call := func(raw string) json.RawMessage {
		w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
			return upstream.Result{Raw: json.RawMessage(raw)}, nil
		}
		return a.tool("call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`)
	}
	long := textOf(strings.Repeat("x", 5000))
	got := call(`{"content":[` + small + `,` + long + `],"isError":true,"_meta":{"k":1152921504606846976}}`)
	for _, want := range []string{small, `"isError":true`, `"_meta":{"k":1152921504606846976}`, "5000 characters"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("cut answer lacks %s: %s", want, got)
		}
	}
	image := `{"type":"image","mimeType":"image/png","data":"` + strings.Repeat("A", 5000) + `"}`
	got = call(`{"content":[` + textOf("look") + `,` + image + `],"structuredContent":{"a":1}}`)
	for _, want := range []string{textOf("look"), `"structuredContent":{"a":1}`, "image image/png of 5049 characters"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("answer lacks %s: %s", want, got)
		}
	}
	if pages := readAll(t, a, decode(t, got), 2000); strings.Join(pages, "") != image {
		t.Errorf("the image is not kept: %.100q", strings.Join(pages, ""))
	}
	w.limits.ResponseLimit = 0
	if got := call(`{"content":[` + long + `]}`); len(got) < 5000 {
		t.Error("limit 0 cuts")
	}
}

func TestReadCache_Errors(t *testing.T) {
	t.Parallel()
	a, p := newWorld().agent(t)
	key, _ := p.pages.put(newDocument("hello", 100))
	for name, tt := range map[string]struct{ args, want string }{
		"unknown key": {`{"key":"x"}`, "nothing is kept"},
		"no key":      {`{}`, "key is missing"},
		"negative":    {`{"key":"x","offset":-1}`, "must not be negative"},
		"past":        {`{"key":"` + key + `","offset":5}`, "offset 5 is past the end; there are 5 characters"},
	} {
		if r := decode(t, a.tool("read_cache", tt.args)); !r.IsError || !strings.Contains(r.text(), tt.want) || !strings.Contains(r.text(), "Next: ") {
			t.Errorf("%s: %s", name, r.text())
		}
	}
	if r := decode(t, a.tool("read_cache", `{"key":"`+key+`","offset":1,"limit":2}`)); r.Content[0].Text != "el" {
		t.Errorf("page = %s", r.text())
	}
}

func TestPages_BoundAndExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPages(1000, time.Minute)
		defer p.close()
		if _, ok := p.put(newDocument(strings.Repeat("x", 251), 0)); ok {
			t.Error("a document over a quarter of the bound was kept")
		}
		var keys []string
		for range 5 {
			key, _ := p.put(newDocument(strings.Repeat("x", 250), 0))
			keys = append(keys, key)
			p.get(keys[0]) // stays because it is read
		}
		if _, ok := p.get(keys[1]); ok || p.bytes > 1000 {
			t.Errorf("the oldest was not dropped; %d bytes", p.bytes)
		}
		time.Sleep(50 * time.Second)
		if _, ok := p.get(keys[0]); !ok {
			t.Error("a read document was dropped")
		}
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if _, ok := p.get(keys[0]); !ok || len(p.byKey) != 1 {
			t.Errorf("%d documents after their time, want the one that was read", len(p.byKey))
		}
	})
}

func FuzzCut(f *testing.F) {
	f.Add(`{"content":[{"type":"text","text":"abc"}],"structuredContent":[1,2]}`, 100)
	f.Add(`{"content":[{"type":"image","data":"\ud800"},5,null],"isError":true}`, 60)
	p := newWorld().open(f)
	f.Fuzz(func(t *testing.T, raw string, limit int) {
		if !json.Valid([]byte(raw)) {
			return
		}
		got := p.cut(json.RawMessage(raw), limit%1000)
		if !json.Valid(got) {
			t.Errorf("cut(%q, %d) = %q", raw, limit%1000, got)
		}
	})
}
