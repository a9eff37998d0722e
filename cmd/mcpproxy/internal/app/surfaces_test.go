package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mcpproxy/cmd/mcpproxy/internal/api"
)

// surfaces drives everything that a client without the key can reach, found out
// by asking: the methods of MCP, each tool of the menu with each operation and
// each field, and each route of the router. It keeps what was answered.
type surfaces struct {
	r       *rig
	session string
	servers []string // names to fill in
	ids     []string // server:tool
	hashes  []string // of pages that wait: what an approval would need

	mu  sync.Mutex
	out bytes.Buffer
}

// forbidden are fields that only a person may set; no tool lists them.
var forbidden = map[string]any{
	"quarantined": false, "auto_approve": "annotations", "isolation": map[string]any{"enabled": false}, "oauth": map[string]any{"client_id": "x"},
	"trust": true, "approve": true, "approved": true, "state": "approved", "quarantine_enabled": false, "blocked": false, "skip_quarantine": true,
}

func (s *surfaces) note(what string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.out, "\n### %s\n%s\n", what, body)
}

// http sends one request over TCP without any key.
func (s *surfaces) http(method, path, body string) []byte {
	s.r.t.Helper()
	req, err := http.NewRequestWithContext(s.r.t.Context(), method, s.r.url+path, strings.NewReader(body))
	if err != nil {
		s.r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if s.session != "" && strings.HasPrefix(path, "/mcp") {
		req.Header.Set("Mcp-Session-Id", s.session)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" && s.session == "" {
		s.session = id
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.r.t.Fatal(err)
	}
	head := new(bytes.Buffer)
	_ = resp.Header.Write(head)
	s.note(fmt.Sprintf("%s %s %s -> %d", method, path, body, resp.StatusCode), append(head.Bytes(), answer...))
	return answer
}

// rpc asks one method of MCP.
func (s *surfaces) rpc(method string, params any) []byte {
	s.r.t.Helper()
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		s.r.t.Fatal(err)
	}
	return s.http("POST", "/mcp", string(text))
}

// begin opens a session and its event stream, which is read until the test ends.
func (s *surfaces) begin() {
	s.rpc("initialize", map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}})
	s.http("POST", "/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	s.rpc("logging/setLevel", map[string]any{"level": "debug"})
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", s.r.url+"/mcp", nil)
	if err != nil {
		s.r.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Mcp-Session-Id", s.session)
	resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // closed at the end of the test
	if err != nil {
		s.r.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(buf)
			s.note("event stream", bytes.Clone(buf[:n]))
			if err != nil {
				return
			}
		}
	}()
	s.r.t.Cleanup(func() { cancel(); _ = resp.Body.Close(); <-done })
}

// methods asks what MCP has besides tools/call, revisions with and without
// sessions.
func (s *surfaces) methods() {
	for _, method := range []string{"ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover", "tasks/list", "roots/list"} {
		s.rpc(method, map[string]any{})
	}
	for _, server := range s.servers {
		for _, name := range []string{server + "__ask", server + ":ask", "ask"} {
			s.rpc("prompts/get", map[string]any{"name": name, "arguments": map[string]any{"topic": "x"}})
			s.rpc("completion/complete", map[string]any{"ref": map[string]any{"type": "ref/prompt", "name": name}, "argument": map[string]any{"name": "topic", "value": ""}})
		}
		for _, uri := range []string{"notes://one", server + "/notes://one", "mcpproxy://" + server + "/notes://one"} {
			s.rpc("resources/read", map[string]any{"uri": uri})
			s.rpc("resources/subscribe", map[string]any{"uri": uri})
		}
	}
}

type schema struct {
	Properties map[string]struct {
		Type string   `json:"type"`
		Enum []string `json:"enum"`
	} `json:"properties"`
}

// tools calls each tool of the menu with each of its operations, and each of
// those with each field that it has, that another tool has, or that nobody may
// set. It returns how many calls that were.
func (s *surfaces) tools() (calls int) {
	var answer struct {
		Result struct {
			Tools []struct {
				Name        string `json:"name"`
				InputSchema schema `json:"inputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	if err := json.Unmarshal(s.rpc("tools/list", map[string]any{}), &answer); err != nil || len(answer.Result.Tools) < 7 {
		s.r.t.Fatalf("the menu is %+v, %v", answer, err)
	}
	for _, t := range answer.Result.Tools {
		operations := t.InputSchema.Properties["operation"].Enum
		if operations = append(operations, "approve", "unblock", "trust"); len(operations) == 3 {
			operations = []string{""}
		}
		for _, operation := range operations {
			for _, args := range s.arguments(t.InputSchema, operation) {
				s.rpc("tools/call", map[string]any{"name": t.Name, "arguments": args})
				calls++
			}
		}
	}
	return calls
}

// arguments are the calls of one operation.
func (s *surfaces) arguments(in schema, operation string) (list []map[string]any) {
	base := map[string]any{}
	if operation != "" {
		base["operation"] = operation
	}
	with := func(pairs ...any) {
		args := map[string]any{}
		maps.Copy(args, base)
		for i := 0; i < len(pairs); i += 2 {
			args[pairs[i].(string)] = pairs[i+1]
		}
		list = append(list, args)
	}
	with()
	named := ""
	for _, key := range []string{"name", "id", "query", "key"} {
		if _, has := in.Properties[key]; has {
			named = key
		}
	}
	for _, target := range s.samples(named) {
		with(named, target)
		for field := range in.Properties {
			for _, v := range s.samples(field) {
				with(named, target, field, v)
			}
		}
		for field, v := range forbidden {
			with(named, target, field, v)
			with(named, target, "command", "true", field, v)
		}
		for _, h := range s.hashes {
			with(named, target, "hash", h)
		}
	}
	return list
}

// samples are values for a field of that name.
func (s *surfaces) samples(field string) (values []any) {
	switch field {
	case "name", "server":
		for _, name := range append(s.servers, "fresh") {
			values = append(values, name)
		}
	case "id":
		for _, id := range s.ids {
			values = append(values, id)
		}
	case "query":
		values = []any{"plain tool that does something", s.servers[0], "secret keys"}
	case "queries", "args":
		values = []any{[]string{"x"}}
	case "arguments", "env", "headers":
		values = []any{map[string]any{}, map[string]any{"text": "x"}}
	case "args_json":
		values = []any{`["x"]`}
	case "env_json", "headers_json":
		values = []any{`{"A":"b"}`}
	case "enabled":
		values = []any{true, false}
	case "limit", "lines", "offset":
		values = []any{1}
	case "detail":
		values = []any{"full", "compact", "names"}
	case "protocol":
		values = []any{"stdio", "http"}
	case "command":
		values = []any{"true"}
	case "url":
		values = []any{"http://127.0.0.1:1/mcp"}
	case "operation":
	default:
		values = []any{"x"}
	}
	return values
}

var wildcard = regexp.MustCompile(`\{([a-z]+)(\.\.\.|\$)?\}`)

// routes asks each route without the key, with the bodies that would decide
// something.
func (s *surfaces) routes(t *testing.T) (asked int) {
	bodies := []string{"", "{}", `{"enabled":true}`, `{"name":"fresh","command":"true"}`, `{"tool":"plain","blocked":false}`}
	for _, h := range s.hashes {
		bodies = append(bodies, fmt.Sprintf(`{"hash":%q}`, h), fmt.Sprintf(`{"hash":%q,"tool":"plain"}`, h))
	}
	for _, route := range api.Routes() {
		if strings.HasPrefix(route.Pattern, "/mcp") {
			continue // what it answers is methods and tools
		}
		for _, name := range s.servers {
			path := wildcard.ReplaceAllStringFunc(route.Pattern, func(w string) string {
				if strings.HasSuffix(w, "$}") {
					return ""
				}
				return name
			})
			for _, body := range bodies {
				if route.Method == http.MethodGet && body != "" {
					continue
				}
				answer := s.http(route.Method, path, body)
				asked++
				if route.NeedsKey && !bytes.Contains(answer, []byte(`"code":"forbidden"`)) {
					t.Errorf("%s %s without the key answers %.200s", route.Method, path, answer)
				}
			}
		}
	}
	return asked
}
