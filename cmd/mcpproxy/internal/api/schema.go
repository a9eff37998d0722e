package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"mcpproxy/internal/client"
)

// schemas are the JSON Schemas of named types, by name.
type schemas map[string]any

var (
	errorType = reflect.TypeFor[client.Error]()
	timeType  = reflect.TypeFor[time.Time]()
	rawType   = reflect.TypeFor[json.RawMessage]()
)

// of returns the schema of v's type.
func (s schemas) of(v any) any { return s.ref(reflect.TypeOf(v)) }

// ref returns the schema of t, or a reference to it if t is a named struct.
func (s schemas) ref(t reflect.Type) any {
	switch t {
	case timeType:
		return object{"type": "string", "format": "date-time"}
	case rawType:
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.ref(t.Elem())
	case reflect.Struct:
		if t.Name() == "" {
			return s.object(t)
		}
		if _, known := s[t.Name()]; !known {
			s[t.Name()] = true // a type may hold itself
			s[t.Name()] = s.object(t)
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": s.ref(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": s.ref(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	}
	return object{"type": "integer"}
}

// object is the schema of a struct as encoding/json writes it. Members that may
// be left out are not required; others may come with a later version.
func (s schemas) object(t reflect.Type) object {
	properties, required := object{}, []string{}
	s.members(t, properties, &required)
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func (s schemas) members(t reflect.Type, properties object, required *[]string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			s.members(f.Type, properties, required)
			continue
		case name == "":
			name = f.Name
		}
		properties[name] = s.ref(f.Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			*required = append(*required, name)
		}
	}
}
