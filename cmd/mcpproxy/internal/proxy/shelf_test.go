package proxy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// other is a definition without a test around it.
func other(kind tool.Kind, server, definition string) tool.Tool {
	t, err := tool.DecodeAs(kind, server, json.RawMessage(definition))
	if err != nil {
		panic(err)
	}
	return t
}

func prompt(server, name string) tool.Tool {
	return other(tool.Prompt, server, `{"name":`+string(quote(name))+`}`)
}

func TestPromptNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 80)
	list := []tool.Tool{
		prompt("a", "b"), prompt("a", "b__c"), prompt("a__b", "c"), prompt("a", long), prompt("a", long+"x"), prompt("a", "ä:/ x"), prompt("a", "ö:/ x"),
	}
	// one that is called what another is cut to
	cut := promptName(tool.ID{Server: "a", Name: long}, 0)
	list = append(list, prompt("a", strings.TrimPrefix(cut, "a__")))
	for range 2 { // the order of listing does not matter
		var offers []*offered
		for i := range list {
			offers = append([]*offered{{def: list[i]}}, offers...)
		}
		byName := label(tool.Prompt, offers)
		if len(byName) != len(list) {
			t.Errorf("%d names for %d prompts", len(byName), len(list))
		}
		for name, o := range byName {
			if len(name) > maxListed || strings.ContainsAny(name, ": /") {
				t.Errorf("%s is listed as %q", o.def.ID, name)
			}
			if o.def.ID.Name == "b" && name != "a__b" {
				t.Errorf("%s is listed as %q", o.def.ID, name)
			}
		}
	}
}

func FuzzPromptName(f *testing.F) {
	f.Add("a", "b")
	f.Add("", strings.Repeat("\xff", 100))
	f.Fuzz(func(t *testing.T, server, name string) {
		for _, digits := range []int{0, 8, 16, 32} {
			got := promptName(tool.ID{Server: server, Name: name}, digits)
			if len(got) > maxListed || strings.ContainsFunc(got, func(r rune) bool { return r > 'z' || r == ':' || r < '-' }) {
				t.Fatalf("promptName(%q, %q, %d) = %q", server, name, digits, got)
			}
		}
	})
}

func TestWithMember_KeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{`{"name":"a","x": 1.0 ,"\u006eame" : "b", "y":{"name":"inner"}}`, `{"name":"N","x": 1.0 ,"\u006eame" : "N", "y":{"name":"inner"}}`},
		{` { "z" : 1152921504606846976 } `, ` { "z" : 1152921504606846976 } `},
		{`[]`, `[]`},
		{`{"name":`, `{"name":`},
	} {
		if got := withMember(json.RawMessage(c.raw), "name", []byte(`"N"`)); string(got) != c.want {
			t.Errorf("withMember(%s) = %s, want %s", c.raw, got, c.want)
		}
	}
}

func TestUnqualified(t *testing.T) {
	t.Parallel()
	for _, id := range []tool.ID{{Server: "files", Name: "file:///a"}, {Server: "a/b %", Name: "mcpproxy://x/y"}} {
		uri := resourceName(id, leastDigits)
		if server, rest, ok := unqualified(uri); !ok || server != id.Server || rest != id.Name {
			t.Errorf("unqualified(%q) = %q, %q, %v", uri, server, rest, ok)
		}
	}
	for _, uri := range []string{"file:///a", "mcpproxy://", "mcpproxy://%zz/a"} {
		if _, _, ok := unqualified(uri); ok {
			t.Errorf("unqualified(%q) is ok", uri)
		}
	}
}

// TestList_Pages follows the cursor through many prompts: each once, in order, no
// page over its bounds.
func TestList_Pages(t *testing.T) {
	t.Parallel()
	w := newWorld()
	const n = 1001
	for i := range n {
		w.addOther(t, tool.Prompt, "s", fmt.Sprintf(`{"name":"p%04d","description":%q}`, i, strings.Repeat("x", i%3000)))
	}
	a, p := w.agent(t)
	w.offer(p)
	params, seen, pages := `{}`, 0, 0
	for {
		raw := a.request("prompts/list", params)
		var page struct {
			Prompts    []struct{ Name string } `json:"prompts"`
			NextCursor string                  `json:"nextCursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			t.Fatal(err)
		}
		for _, q := range page.Prompts {
			if want := fmt.Sprintf("s__p%04d", seen); q.Name != want {
				t.Fatalf("prompt %d is %q, want %q", seen, q.Name, want)
			}
			seen++
		}
		if pages++; len(raw) > maxPageBytes+5000 || len(page.Prompts) > maxPageItems {
			t.Errorf("page %d has %d prompts in %d bytes", pages, len(page.Prompts), len(raw))
		}
		if page.NextCursor == "" {
			break
		}
		params = `{"cursor":` + string(quote(page.NextCursor)) + `}`
	}
	if seen != n || pages < 6 {
		t.Errorf("%d prompts in %d pages", seen, pages)
	}
	// a cursor of something that is gone, or of nobody, goes on behind it
	raw := a.request("prompts/list", `{"cursor":"`+base64.StdEncoding.EncodeToString([]byte("zzz"))+`"}`)
	if string(raw) != `{"prompts":[]}` {
		t.Errorf("list behind the end = %s", raw)
	}
}

// TestOffer_Announces: clients are told when what they may have differs, and once
// for many changes that they did not see.
func TestOffer_Announces(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, p := w.agent(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next := a.listen(ctx, "")
	expect := func(want string) {
		t.Helper()
		if _, data := next(); data != `{"jsonrpc":"2.0","method":"`+want+`"}` {
			t.Fatalf("notification %s, want %s", data, want)
		}
	}
	one, two := prompt("s", "one"), prompt("s", "two")
	p.Offer("s", []tool.Tool{one}, nil)
	expect("notifications/prompts/list_changed")
	p.Offer("s", []tool.Tool{one}, []tool.ID{two.ID}) // what waits is nobody's concern
	p.Offer("s", []tool.Tool{one, other(tool.Instructions, "s", `{"instructions":"x"}`)}, nil)
	p.Offer("s", []tool.Tool{one, other(tool.Resource, "s", `{"uri":"a"}`)}, nil)
	expect("notifications/resources/list_changed")
	p.Offer("s", []tool.Tool{one, other(tool.Template, "s", `{"uriTemplate":"a"}`)}, nil)
	expect("notifications/resources/list_changed")
	p.Offer("s", []tool.Tool{other(tool.Prompt, "s", `{"name":"one","description":"changed"}`)}, nil)
	expect("notifications/prompts/list_changed")
	p.Offer("s", nil, nil)
	expect("notifications/resources/list_changed")
}

func TestOffer_CoalescesUnseenChanges(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, p := w.agent(t)
	for i := range 1000 {
		p.Offer("s", []tool.Tool{prompt("s", fmt.Sprint(i))}, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next := a.listen(ctx, "")
	if id, _ := next(); id != "1" {
		t.Errorf("first event has id %s", id)
	}
	p.ToolsChanged()
	if id, data := next(); id != "2" || !strings.Contains(data, "tools/list_changed") {
		t.Errorf("second event is %s %s: the burst was not one event", id, data)
	}
}

// TestHeldMeanwhile: what the gate holds after it was put on the shelf is in no
// list, no instructions and no answer.
func TestHeldMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := []tool.Tool{
		w.addOther(t, tool.Prompt, "s", `{"name":"p","description":"CANARY"}`), w.addOther(t, tool.Resource, "s", `{"uri":"r","description":"CANARY"}`),
		w.addOther(t, tool.Template, "s", `{"uriTemplate":"t{x}","description":"CANARY"}`), w.addOther(t, tool.Instructions, "s", `{"instructions":"CANARY"}`),
	}
	a, p := w.agent(t)
	w.offer(p)
	for _, o := range ids {
		w.held[o.ID] = true
	}
	for method, params := range map[string]string{
		"initialize":   `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`,
		"prompts/list": `{}`, "resources/list": `{}`, "resources/templates/list": `{}`,
		"prompts/get": `{"name":"s__p"}`, "resources/read": `{"uri":"r"}`,
	} {
		messages, _ := a.post(method, params)
		if got := string(messages[len(messages)-1]); strings.Contains(got, "CANARY") {
			t.Errorf("%s answers %s", method, got)
		} else if strings.HasSuffix(method, "get") && !strings.Contains(got, "mcpproxy quarantine inspect s") {
			t.Errorf("%s names no cure: %s", method, got)
		}
	}
	if len(w.fetches) != 0 {
		t.Errorf("%d requests were sent", len(w.fetches))
	}
}

func TestFetch_Bounds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.addOther(t, tool.Resource, "s", `{"uri":"r"}`)
	w.fetch = func(context.Context, upstream.Fetch) (json.RawMessage, error) {
		return json.RawMessage(`{"contents":[{"text":"` + strings.Repeat("x", maxFetched) + `"}]}`), nil
	}
	a, p := w.agent(t)
	w.offer(p)
	messages, _ := a.post("resources/read", `{"uri":"r"}`)
	if got := string(messages[0]); len(got) > 1000 || !strings.Contains(got, "too large") || !strings.Contains(got, "4096 KiB") {
		t.Errorf("answer = %.300s", got)
	}
}

func TestAdvice_IsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 9 {
		w.addOther(t, tool.Instructions, fmt.Sprint("s", i), `{"instructions":"`+strings.Repeat("é", 5000)+`"}`)
	}
	p := w.open(t)
	w.offer(p)
	got := p.instructions()
	if n := len([]rune(got)); n > maxAllAdvice+1500 || !strings.Contains(got, "6 more servers") || strings.Count(got, "approved by the user") != 3 {
		t.Errorf("%d characters, of %d servers", n, strings.Count(got, "approved by the user"))
	}
}

// TestModern_ListsAndReads: 2026-07-28 requires resultType and caching hints, and
// an upstream's own hints are not passed on.
func TestModern_Give(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.addOther(t, tool.Resource, "s", `{"uri":"r"}`)
	w.fetch = func(context.Context, upstream.Fetch) (json.RawMessage, error) {
		return json.RawMessage(`{"contents":[],"ttlMs":999999999,"cacheScope":"public"}`), nil
	}
	a, p := w.agent(t)
	w.offer(p)
	a.session = ""
	a.header.Set("MCP-Protocol-Version", "2026-07-28")
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	for method, params := range map[string]string{"resources/list": `{` + meta + `}`, "resources/read": `{"uri":"r",` + meta + `}`} {
		a.header.Set("Mcp-Method", method)
		a.header.Del("Mcp-Name")
		if method == "resources/read" {
			a.header.Set("Mcp-Name", "r")
		}
		got := string(a.request(method, params))
		for _, want := range []string{`"resultType":"complete"`, `"ttlMs":0`, `"cacheScope":"private"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s answers %s, want %s in it", method, got, want)
			}
		}
	}
}
