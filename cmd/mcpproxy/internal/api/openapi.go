package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// operation describes one route for the OpenAPI document.
type operation struct {
	about string
	query []parameter
	in    any    // a value of the body's type, unless the endpoint tells; nil: no body
	out   any    // a value of the answer's type, likewise; nil: an empty object
	kind  string // of the answer; empty: application/json
}

// parameter is one of the query; its type is that of example.
type parameter struct {
	name    string
	about   string
	example any
}

// Kinds of answers that are not one JSON value.
const (
	asLines  = "application/x-ndjson"
	asEvents = "text/event-stream"
	asPage   = "text/html"
	asText   = "text/plain"
	asMCP    = "*" // whatever the protocol says
)

// object is a part of the document.
type object = map[string]any

// document is the OpenAPI 3.1 description of routes, made from their table, the
// operations and the types of package client.
func document(routes []route) []byte {
	types := schemas{}
	paths := object{}
	for _, r := range routes {
		path := pathOf(r.pattern)
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = types.operation(r, described(r))
	}
	data, err := json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "mcpproxy", "version": "v1",
			"description": "Every route of one instance. Host and a present Origin must be loopback or trusted; a body must be application/json.",
		},
		"servers": []object{{"url": "/"}},
		"paths":   paths,
		"components": object{
			"schemas": types,
			"securitySchemes": object{
				"key":    object{"type": "apiKey", "in": "header", "name": "X-API-Key"},
				"bearer": object{"type": "http", "scheme": "bearer"},
				"cookie": object{"type": "apiKey", "in": "cookie", "name": "mcpproxy_session_8080", "description": "named after the port"},
				"csrf":   object{"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
			},
		},
	})
	if err != nil {
		panic(err) // our own types
	}
	return data
}

// described returns the description of r, the zero operation if there is none.
func described(r route) operation {
	for _, table := range []map[string]operation{operations, serverOperations, toolOperations, reviewOperations, configOperations} {
		if o, ok := table[r.method+" "+r.pattern]; ok {
			o.in, o.out = cmp.Or(o.in, r.in), cmp.Or(o.out, r.out)
			return o
		}
	}
	return operation{}
}

func (a *API) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.document())
}

// pathOf turns a pattern of net/http into a path of OpenAPI.
func pathOf(pattern string) string {
	return strings.NewReplacer("{$}", "", "...}", "}").Replace(pattern)
}

func (s schemas) operation(r route, o operation) object {
	out := object{
		"summary":  o.about,
		"security": security(r),
		"responses": object{
			"200":     s.answer(o),
			"default": object{"description": "what went wrong", "content": content("application/json", s.ref(errorType))},
		},
	}
	if parameters := s.parameters(r, o); len(parameters) > 0 {
		out["parameters"] = parameters
	}
	if o.in != nil {
		out["requestBody"] = object{"required": true, "content": content("application/json", s.of(o.in))}
	}
	return out
}

func (s schemas) answer(o operation) object {
	switch {
	case o.kind == asMCP:
		return object{"description": "as the Model Context Protocol says"}
	case o.kind == asPage:
		return object{"description": "the page, or where it is"}
	case o.kind == asText:
		return object{"description": "text", "content": content(asText, object{"type": "string"})}
	case o.kind != "":
		return object{"description": "one " + map[string]string{asLines: "line", asEvents: "event"}[o.kind] + " after the other", "content": content(o.kind, s.of(o.out))}
	case o.out == nil:
		return object{"description": "done", "content": content("application/json", object{"type": "object"})}
	}
	return object{"description": "the answer", "content": content("application/json", s.of(o.out))}
}

func content(kind string, schema any) object { return object{kind: object{"schema": schema}} }

// parameters are those of the path, then of the query.
func (s schemas) parameters(r route, o operation) (list []object) {
	for part := range strings.SplitSeq(pathOf(r.pattern), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, p := range o.query {
		list = append(list, object{"name": p.name, "in": "query", "description": p.about, "schema": s.of(p.example)})
	}
	return list
}

// security lists what is enough to use r over TCP.
func security(r route) []object {
	none := []string{}
	keys := []object{{"key": none}, {"bearer": none}}
	switch {
	case r.access == open:
		return []object{}
	case r.access == agent:
		return append([]object{{}}, keys...)
	case r.access == keyHolder:
		return keys
	case r.method == http.MethodGet && slices.Contains(streams, r.pattern):
		return append(keys, object{"cookie": none})
	}
	return append(keys, object{"cookie": none, "csrf": none})
}
