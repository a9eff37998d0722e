package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"mcpproxy/upstream"
)

// oddTool and oddResult hold all that mcp-go's own types would lose.
const oddTool = `{"name":"odd","title":"Odd","description":"An odd <tool> & more",
 "inputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","x-order":["b","a"],
  "properties":{"n":{"type":"integer","maximum":1152921504606846976,"default":1.0}},
  "oneOf":[{"required":["n"]},{"required":["z"]}],"$defs":{"a":{"$ref":"#/$defs/b"},"b":true}},
 "annotations":{"readOnlyHint":true,"x-cost":1152921504606846976},"icons":[{"src":"data:,"}],"x-vendor":{"a":[1.50]},"_meta":{"k":1e2}}`

const oddResult = `{ "content" : [ {"type":"text","text":"a\u2028<b>","x-note":1152921504606846976,"annotations":{"priority":0.10}},
  {"type":"hologram","depth":1152921504606846976}, 7 ],
 "structuredContent":{"$schema":"x","oneOf":[1,1.0,1e0],"big":1152921504606846976},
 "x-top":{"k":[1152921504606846976]},"_meta":{"trace":"\"result\":{"},"isError":false }`

func TestCall_ResultArrivesEqualAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.add(t, "s", oddTool)
	w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
		return upstream.Result{Raw: json.RawMessage(oddResult)}, nil
	}
	a, p := w.agent(t)
	sameValue(t, a.tool("call_tool_read", `{"id":"s:odd","arguments":{"n":1152921504606846976}}`), oddResult)
	if got := string(w.lastCall().Arguments); got != `{"n":1152921504606846976}` {
		t.Errorf("arguments = %s", got)
	}
	direct, err := p.CallTool(t.Context(), "s:odd", json.RawMessage(`{"n":1}`))
	if err != nil || string(direct) != oddResult {
		t.Errorf("CallTool = %s, %v", direct, err)
	}

	hit := onlyHit(t, decode(t, a.tool("retrieve_tools", `{"query":"odd","detail":"full"}`)))
	var sent map[string]json.RawMessage
	if err := json.Unmarshal([]byte(oddTool), &sent); err != nil {
		t.Fatal(err)
	}
	for key, value := range sent {
		if key != "name" {
			sameValue(t, hit[key], string(value))
		}
	}
	if !bytes.Equal(compacted(t, hit["inputSchema"]), compacted(t, sent["inputSchema"])) {
		t.Errorf("inputSchema was rewritten: %s", hit["inputSchema"])
	}
}

func TestCall_ResultOfModernClient(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.add(t, "s", oddTool)
	w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
		return upstream.Result{Raw: json.RawMessage(oddResult)}, nil
	}
	a, _ := w.agent(t)
	a.session = ""
	a.header = http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"call_tool_read"}}
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"traceparent":"00-1","big":1152921504606846976}`
	got := a.request("tools/call", `{"name":"call_tool_read","arguments":{"id":"s:odd","arguments":"{\"n\":1}"},`+meta+`}`)
	sameValue(t, got, oddResult[:len(oddResult)-1]+`,"resultType":"complete"}`)
	if m := string(w.lastCall().Meta); m != `{"traceparent":"00-1","big":1152921504606846976}` {
		t.Errorf("_meta passed on = %s", m)
	}
	a.header.Set("Mcp-Method", "server/discover")
	a.header.Del("Mcp-Name")
	if got := a.request("server/discover", `{`+meta+`}`); !strings.Contains(string(got), "retrieve_tools") {
		t.Errorf("server/discover has no instructions: %s", got)
	}
}

func TestMenu_Size(t *testing.T) {
	t.Parallel()
	a, _ := newWorld().agent(t)
	list := a.request("tools/list", `{}`)
	if n := len(list); n > 3600 {
		t.Errorf("tools/list takes %d characters, want at most 3600 of 4000: a tool is still to come", n)
	} else {
		t.Logf("tools/list: %d characters, %d tokens", n, n/4)
	}
	var menu struct {
		Tools []struct {
			Name, Description string
			Annotations       map[string]any
		}
	}
	if err := json.Unmarshal(list, &menu); err != nil || len(menu.Tools) != 7 {
		t.Fatalf("%d tools, %v", len(menu.Tools), err)
	}
	for _, tool := range menu.Tools {
		if tool.Description == "" || len(tool.Annotations) != 4 {
			t.Errorf("%s: description %q, annotations %v", tool.Name, tool.Description, tool.Annotations)
		}
	}
}

func TestMenu_FollowsPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.DisableManagement = true
	a, p := w.agent(t)
	if list := a.request("tools/list", `{}`); strings.Contains(string(list), managementTool) {
		t.Error("upstream_servers is listed although management is disabled")
	}
	if messages, _ := a.post("tools/call", `{"name":"upstream_servers","arguments":{"operation":"list"}}`); !strings.Contains(string(messages[0]), `"error"`) {
		t.Errorf("upstream_servers answered: %s", messages[0])
	}
	if _, err := p.CallTool(t.Context(), managementTool, nil); err == nil {
		t.Error("CallTool(upstream_servers) succeeded although management is disabled")
	}
}

func TestInitialize_InstructionsAreCurrent(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, _ := w.agent(t)
	const params = `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`
	if got := string(a.request("initialize", params)); !strings.Contains(got, "none has approved tools") || !strings.Contains(got, `"2025-06-18"`) {
		t.Errorf("initialize = %s", got)
	}
	w.add(t, "github", `{"name":"x"}`)
	w.overview.Waiting = []string{"evil\nname"}
	got := string(a.request("initialize", params))
	for _, want := range []string{"github (1 tool)", "evil?name", "retrieve_tools", "call_with"} {
		if !strings.Contains(got, want) {
			t.Errorf("instructions lack %q: %s", want, got)
		}
	}
}

func onlyHit(t *testing.T, r result) map[string]json.RawMessage {
	t.Helper()
	hits := hitsOf(t, r)
	if len(hits) != 1 {
		t.Fatalf("%d hits, want 1", len(hits))
	}
	return hits[0]
}

func hitsOf(t *testing.T, r result) []map[string]json.RawMessage {
	t.Helper()
	var answer struct{ Tools []map[string]json.RawMessage }
	if err := json.Unmarshal(r.StructuredContent, &answer); err != nil {
		t.Fatalf("structuredContent: %v", err)
	}
	sameValue(t, json.RawMessage(r.Content[0].Text), string(r.StructuredContent))
	return answer.Tools
}

// sameValue compares JSON values, numbers by their literal text.
func sameValue(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	parse := func(text []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%.300s: %v", text, err)
		}
		return v
	}
	if !reflect.DeepEqual(parse(got), parse([]byte(want))) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func compacted(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
