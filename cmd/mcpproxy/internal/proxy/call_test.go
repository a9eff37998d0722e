package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

func callWorld(t testing.TB) *world {
	w := newWorld()
	const schema = `"inputSchema":{"type":"object","properties":{"path":{"type":"string"},"n":{"type":"integer"}},"required":["path"]}`
	w.add(t, "files", `{"name":"read","description":"read file","annotations":{"readOnlyHint":true},`+schema+`}`)
	w.add(t, "files", `{"name":"append","description":"append file","annotations":{"destructiveHint":false},`+schema+`}`)
	w.add(t, "files", `{"name":"wipe","description":"wipe file",`+schema+`}`)
	w.overview.Waiting = []string{"pending"}
	w.overview.Starting = []string{"slow"}
	return w
}

func TestCall_Answers(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	held := w.add(t, "files", `{"name":"changed","description":"changed"}`).ID
	w.held[held] = true
	a, _ := w.agent(t)
	for name, tt := range map[string]struct {
		tool, args string
		want       []string // parts of the error; none: it is called
	}{
		"read":                  {"call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`, nil},
		"write":                 {"call_tool_write", `{"id":"files:append","arguments":{"path":"a"}}`, nil},
		"destructive":           {"call_tool_destructive", `{"id":"files:wipe","arguments":{"path":"a"}}`, nil},
		"destructive takes all": {"call_tool_destructive", `{"id":"files:read","arguments":{"path":"a"}}`, nil},
		"arguments as string":   {"call_tool_read", `{"id":"files:read","arguments":"{\"path\":\"a\"}"}`, nil},
		"read of a write tool":  {"call_tool_read", `{"id":"files:append","arguments":{"path":"a"}}`, []string{"call_tool_write"}},
		"read unannotated":      {"call_tool_read", `{"id":"files:wipe","arguments":{"path":"a"}}`, []string{"call_tool_destructive"}},
		"write of a read tool":  {"call_tool_write", `{"id":"files:read","arguments":{"path":"a"}}`, []string{"call_tool_read"}},
		"missing argument":      {"call_tool_read", `{"id":"files:read"}`, []string{"missing property 'path'", `"required":["path"]`, "was not called"}},
		"wrong type":            {"call_tool_read", `{"id":"files:read","arguments":{"path":"a","n":"x"}}`, []string{"/n: got string, want integer"}},
		"arguments are a list":  {"call_tool_read", `{"id":"files:read","arguments":[1]}`, []string{"must be a JSON object", `"required":["path"]`}},
		"arguments are no JSON": {"call_tool_read", `{"id":"files:read","arguments":"{path"}`, []string{"must be a JSON object"}},
		"flattened":             {"call_tool_read", `{"id":"files:read","path":"a"}`, []string{`unknown argument "path"`, `"arguments"`}},
		"no id":                 {"call_tool_read", `{}`, []string{"id is missing"}},
		"bad id":                {"call_tool_read", `{"id":"read"}`, []string{"server:tool"}},
		"unknown":               {"call_tool_read", `{"id":"files:read_it"}`, []string{"nearest ids: files:read", "retrieve_tools"}},
		"held tool":             {"call_tool_destructive", `{"id":"files:changed"}`, []string{"held", "mcpproxy quarantine inspect files"}},
		"held server":           {"call_tool_read", `{"id":"pending:x"}`, []string{"held", "mcpproxy quarantine approve pending"}},
		"starting server":       {"call_tool_read", `{"id":"slow:x"}`, []string{"still starting", "few seconds"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(w.calls)
			r := decode(t, a.tool(tt.tool, tt.args))
			if called := len(w.calls) > before; called != (tt.want == nil) || r.IsError != (tt.want != nil) {
				t.Fatalf("called %v, isError %v: %s", called, r.IsError, r.text())
			}
			if tt.want != nil && !strings.Contains(r.text(), "Next: ") {
				t.Errorf("no next step: %s", r.text())
			}
			for _, want := range tt.want {
				if !strings.Contains(r.text(), want) {
					t.Errorf("error lacks %q: %s", want, r.text())
				}
			}
			if strings.Contains(r.text(), "CANARY") {
				t.Errorf("held text: %s", r.text())
			}
		})
	}
}

func TestCall_ExplainsErrors(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	a, _ := w.agent(t)
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"upstream": {errors.New("JSON-RPC error -32602: no such\x1b[31m file"), "files:read failed: JSON-RPC error -32602: no such[31m file"},
		"timeout":  {fmt.Errorf("call: %w", context.DeadlineExceeded), "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			w.call = func(context.Context, upstream.Call) (upstream.Result, error) { return upstream.Result{}, tt.err }
			r := decode(t, a.tool("call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`))
			if !r.IsError || !strings.Contains(r.text(), tt.want) || !strings.Contains(r.text(), "Next: ") {
				t.Errorf("got %v %q, want %q", r.IsError, r.text(), tt.want)
			}
		})
	}
}

func TestCall_CancelledByClient(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	started, ended := make(chan struct{}), make(chan error, 1)
	w.call = func(ctx context.Context, _ upstream.Call) (upstream.Result, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return upstream.Result{}, ctx.Err()
	}
	a, _ := w.agent(t)
	answer := make(chan json.RawMessage, 1)
	b := *a
	b.next = 41
	go func() {
		messages, _ := b.post("tools/call", `{"name":"call_tool_read","arguments":{"id":"files:read","arguments":{"path":"a"}}}`)
		answer <- messages[0]
	}()
	<-started
	a.do(t.Context(), "POST", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":42}}`).Body.Close()
	select {
	case <-ended:
		<-answer
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream's context did not end")
	}
}

func TestCall_InFlightLimit(t *testing.T) {
	t.Parallel()
	w := callWorld(t)
	release := make(chan struct{})
	running := make(chan struct{}, maxInFlight)
	w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
		running <- struct{}{}
		<-release
		return upstream.Result{Raw: json.RawMessage(`{"content":[]}`)}, nil
	}
	a, _ := w.agent(t)
	done := make(chan struct{})
	for range maxInFlight {
		b := *a
		go func() {
			b.tool("call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`)
			done <- struct{}{}
		}()
	}
	for range maxInFlight {
		<-running
	}
	r := decode(t, a.tool("call_tool_read", `{"id":"files:read","arguments":{"path":"a"}}`))
	if !r.IsError || !strings.Contains(r.text(), "64 calls of this session") {
		t.Errorf("call 65: %s", r.text())
	}
	close(release)
	for range maxInFlight {
		<-done
	}
	if r := decode(t, a.tool("retrieve_tools", `{"query":"file"}`)); r.IsError {
		t.Errorf("afterwards: %s", r.text())
	}
}

func TestCheck_Schemas(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	bomb := `{"$defs":{"d":{"not":{"not":{"anyOf":[{"properties":{"a":{"$ref":"#/$defs/d"}}},{"properties":{"a":{"$ref":"#/$defs/d"}}},{"type":"string"}]}}}},"$ref":"#/$defs/d"}`
	for name, tt := range map[string]struct{ schema, args, want string }{
		"fits":              {`{"properties":{"a":{"type":"integer"}}}`, `{"a":1152921504606846976}`, ""},
		"nested path":       {`{"properties":{"a":{"items":{"type":"string"}}}}`, `{"a":["x",1]}`, "/a/1: got number, want string"},
		"draft 7":           {`{"$schema":"http://json-schema.org/draft-07/schema#","required":["a"]}`, `{}`, "missing property 'a'"},
		"draft 4":           {`{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"minimum":1,"exclusiveMinimum":true}}}`, `{"a":1}`, "/a"},
		"remote reference":  {`{"$ref":"http://127.0.0.1:1/x.json"}`, `{"a":1}`, ""},
		"file reference":    {`{"$ref":"file:///etc/passwd"}`, `{"a":1}`, ""},
		"unknown dialect":   {`{"$schema":"http://127.0.0.1:1/dialect","required":["a"]}`, `{}`, ""},
		"does not compile":  {`{"type":"str","required":["a"]}`, `{}`, ""},
		"not JSON":          {`{"type":`, `{}`, ""},
		"look-ahead":        {`{"properties":{"a":{"pattern":"^(?!x)"},"b":{"type":"null"}}}`, `{"a":"x","b":1}`, "/b"},
		"pattern":           {`{"properties":{"a":{"pattern":"^x+$"}}}`, `{"a":"y"}`, "/a"},
		"format is no rule": {`{"properties":{"a":{"format":"email"}}}`, `{"a":"y"}`, ""},
		"dynamic reference": {`{"$dynamicRef":"#x","required":["a"]}`, `{}`, ""},
		"reference cycle":   {`{"$ref":"#"}`, `{}`, "/"},
		"too deep":          {`{}`, deep, "nested deeper"},
		"bomb":              {bomb, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := time.Now()
			d := &definition{tool: tool.Tool{InputSchema: json.RawMessage(tt.schema)}}
			for range 2 {
				err := d.check(json.RawMessage(tt.args))
				if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("check = %v, want %q", err, tt.want)
				}
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"properties":{"a":{"type":"integer"}}}`, `{"a":1}`)
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#"},true]}}}`, `{"a":[1]}`)
	f.Fuzz(func(t *testing.T, schema, args string) {
		if !json.Valid([]byte(args)) {
			return
		}
		d := &definition{tool: tool.Tool{InputSchema: json.RawMessage(schema)}}
		_ = d.check(json.RawMessage(args)) // must end and not panic
	})
}
