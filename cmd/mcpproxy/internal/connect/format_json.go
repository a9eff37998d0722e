package connect

import (
	"encoding/json"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/config/jsonc"
)

// jsonFormat is JSON, with comments and trailing commas where the client allows
// them.
type jsonFormat struct{}

func (jsonFormat) decode(text []byte) (map[string]any, error) {
	doc, err := jsonc.Parse(text)
	if err != nil {
		return nil, err
	}
	whole := map[string]any{}
	if doc.Root.Value == nil {
		return whole, nil
	}
	root := doc.Root.Clone()
	root.Standardize()
	return whole, json.Unmarshal(root.Pack(), &whole)
}

func (jsonFormat) put(text []byte, section string, fields []jsonc.Field) ([]byte, error) {
	e, err := jsonc.NewEditor(text)
	if err != nil {
		return nil, err
	}
	servers := member(e.Root(), section)
	if servers == nil || servers.Value.Kind() == 'n' {
		if err := e.SetMember(e.Root(), jsonc.Field{Key: section, Value: struct{}{}}); err != nil {
			return nil, err
		}
		servers = member(e.Root(), section)
	}
	if member(*servers, EntryName) != nil {
		err = e.SetMember(*servers, jsonc.Field{Key: EntryName, Value: object(fields)})
	} else {
		err = e.Append(*servers, EntryName, fields)
	}
	return e.Bytes(), err
}

func (jsonFormat) drop(text []byte, section string) ([]byte, error) {
	e, err := jsonc.NewEditor(text)
	if err != nil {
		return nil, err
	}
	err = e.SetMember(*member(e.Root(), section), jsonc.Field{Key: EntryName})
	return e.Bytes(), err
}

// member returns the value of a key of an object, nil if there is none.
func member(v hujson.Value, key string) *hujson.Value {
	if o, ok := v.Value.(*hujson.Object); ok {
		for i := range o.Members {
			if jsonc.Literal(o.Members[i].Name) == key {
				return &o.Members[i].Value
			}
		}
	}
	return nil
}
