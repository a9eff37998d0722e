package api

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// openDocument parses the document as a client gets it, and readies its schemas.
func openDocument(t *testing.T) (doc map[string]any, compile func(schema any) *jsonschema.Schema) {
	t.Helper()
	w := httptest.NewRecorder()
	New(Options{Service: &fake{}, MCP: echoMCP}).Handler(TCP).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/api/v1/openapi.json", nil))
	if w.Code != 200 {
		t.Fatalf("document = %d %s", w.Code, w.Body)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	doc = parsed.(map[string]any)
	compile = func(schema any) *jsonschema.Schema {
		t.Helper()
		c := jsonschema.NewCompiler()
		if err := c.AddResource("openapi.json", map[string]any{"components": doc["components"], "here": schema}); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("openapi.json#/here")
		if err != nil {
			t.Fatalf("schema %v: %v", schema, err)
		}
		return s
	}
	return doc, compile
}

// dig walks down maps by key.
func dig(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func TestOpenAPI_HasExactlyTheRoutes(t *testing.T) {
	t.Parallel()
	doc, _ := openDocument(t)
	listed := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			listed[strings.ToUpper(method)+" "+path] = true
		}
	}
	tabled := map[string]bool{}
	for _, r := range routes {
		tabled[r.method+" "+r.pattern] = true
		if !listed[r.method+" "+pathOf(r.pattern)] {
			t.Errorf("%s %s is not in the document", r.method, r.pattern)
		}
		delete(listed, r.method+" "+pathOf(r.pattern))
		if described(r).about == "" {
			t.Errorf("%s %s is not described: add it to operations.go", r.method, r.pattern)
		}
	}
	for path := range listed {
		t.Errorf("%s is in the document and no route", path)
	}
	for _, table := range []map[string]operation{operations, serverOperations, toolOperations, reviewOperations, configOperations} {
		for name := range table {
			if !tabled[name] {
				t.Errorf("operations.go describes %s, which is no route", name)
			}
		}
	}
}

// Every answer of the fake fits the schema that the document has for it, and
// every body that it asks for is taken.
func TestOpenAPI_AnswersFitTheirSchemas(t *testing.T) {
	t.Parallel()
	doc, compile := openDocument(t)
	a := New(Options{Service: &fake{steps: 2, result: json.RawMessage(`{"content":[]}`)}, MCP: echoMCP, Endpoint: testEndpoint})
	for _, r := range routes {
		o := dig(doc["paths"], pathOf(r.pattern), strings.ToLower(r.method))
		for kind, media := range asMap(dig(o, "responses", "200", "content")) {
			schema := compile(dig(media, "schema"))
			w := httptest.NewRecorder()
			a.Handler(Local).ServeHTTP(w, visit{}.request(r))
			if w.Code != 200 || kind == asText {
				continue
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, kind) {
				t.Errorf("%s %s answers %s, the document says %s", r.method, r.pattern, got, kind)
			}
			for _, text := range values(kind, w.Body.Bytes()) {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				if err == nil {
					err = schema.Validate(v)
				}
				if err != nil {
					t.Errorf("%s %s answered %s: %v", r.method, r.pattern, text, err)
				}
			}
		}
		if body := dig(o, "requestBody", "content", "application/json", "schema"); body != nil {
			compile(body)
		} else if r.method == "PUT" || r.method == "PATCH" || r.method == "POST" && r.access != agent {
			t.Errorf("%s %s has no body in the document", r.method, r.pattern)
		}
	}
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// values returns the JSON values of an answer.
func values(kind string, body []byte) (list [][]byte) {
	switch kind {
	case asEvents:
		for _, m := range regexp.MustCompile(`(?m)^data: (.*)$`).FindAllSubmatch(body, -1) {
			list = append(list, m[1])
		}
		return list
	case asLines:
		return bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	}
	return [][]byte{body}
}

func TestOpenAPI_SaysWhoMay(t *testing.T) {
	t.Parallel()
	doc, _ := openDocument(t)
	for _, r := range routes {
		text, err := json.Marshal(dig(doc["paths"], pathOf(r.pattern), strings.ToLower(r.method), "security"))
		if err != nil {
			t.Fatal(err)
		}
		browser := strings.Contains(string(text), "cookie")
		if browser != (r.access == person) || (r.access == open) != (string(text) == "[]") {
			t.Errorf("%s %s: security %s", r.method, r.pattern, text)
		}
		if r.access == person && !slices.Contains(streams, r.pattern) && !strings.Contains(string(text), "csrf") {
			t.Errorf("%s %s does not ask for the CSRF token", r.method, r.pattern)
		}
	}
}
