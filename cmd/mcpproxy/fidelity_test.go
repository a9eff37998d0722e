package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"testing"

	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// TestServe_KeepsDefinitionsAndResults sends a tool and a result that hold
// everything a typed client loses through the whole program, over both kinds
// of upstream, and compares them as JSON values with numbers by their text.
func TestServe_KeepsDefinitionsAndResults(t *testing.T) {
	t.Parallel()
	script := upstreamtest.Script{Name: "odd", Tools: []json.RawMessage{upstreamtest.OddTool}}
	child, err := upstreamtest.Command(upstream.Spec{Name: "stdio"}, script)
	if err != nil {
		t.Fatal(err)
	}
	remote := httptest.NewServer((&upstreamtest.Server{Script: script}).Handler())
	t.Cleanup(remote.Close)
	a := newAgent(t, serve(t, map[string]any{
		"stdio": map[string]any{"command": child.Command, "args": child.Args, "env": child.Env, "quarantined": false},
		"http":  map[string]any{"url": remote.URL, "type": "http", "quarantined": false},
	}))
	var tool struct {
		InputSchema json.RawMessage `json:"inputSchema"`
		Annotations json.RawMessage `json:"annotations"`
	}
	if err := json.Unmarshal(upstreamtest.OddTool, &tool); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{"stdio", "http"} {
		found := a.definition(server)
		wantSameJSON(t, server+": inputSchema", found.InputSchema, tool.InputSchema)
		wantSameJSON(t, server+": annotations", found.Annotations, tool.Annotations)
		raw, err := a.s.Call(t.Context(), "call_tool_read", map[string]any{"id": server + ":odd", "arguments": map[string]any{"a": 1}})
		if err != nil {
			t.Fatal(err)
		}
		wantSameJSON(t, server+": result", raw, upstreamtest.OddResult)
	}
}

type definition struct {
	ID          string          `json:"id"`
	InputSchema json.RawMessage `json:"inputSchema"`
	Annotations json.RawMessage `json:"annotations"`
}

// definition returns what retrieve_tools shows of the server's only tool.
func (a agent) definition(server string) definition {
	a.t.Helper()
	raw, err := a.s.Call(a.t.Context(), "retrieve_tools", map[string]any{"query": "odd", "server": server})
	if err != nil {
		a.t.Fatal(err)
	}
	var result struct {
		Structured struct {
			Tools []definition `json:"tools"`
		} `json:"structuredContent"`
	}
	if err := json.Unmarshal(raw, &result); err != nil || len(result.Structured.Tools) != 1 {
		a.t.Fatalf("retrieve_tools = %s (%v), want one tool", raw, err)
	}
	return result.Structured.Tools[0]
}

func wantSameJSON(t *testing.T, what string, got, want json.RawMessage) {
	t.Helper()
	if !reflect.DeepEqual(literal(t, got), literal(t, want)) {
		t.Errorf("%s = %s\nwant %s", what, got, want)
	}
}

// literal decodes raw with its numbers as written.
func literal(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}
