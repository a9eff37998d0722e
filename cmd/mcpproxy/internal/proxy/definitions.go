package proxy

import (
	"bytes"
	"encoding/json"
	"sync"
	"unicode/utf8"

	"mcpproxy/internal/tool"
)

// maxKnown bounds the cache of definitions; beyond it starts anew.
const maxKnown = 8192

// definition is what we derive from one tool, once for each text of it.
type definition struct {
	tool   tool.Tool
	hash   tool.Hash
	schema schema // of the arguments; compiled at the first call

	once  sync.Once
	forms [lastForm + 1]fragment
}

// fragment is the open JSON object of a hit, without score and closing brace.
type fragment struct {
	json  []byte
	runes int
}

// form is how much of a definition an answer shows.
type form int

// The forms, longest first.
const (
	whole     form = iota // all that the upstream sent
	full                  // description, inputSchema, annotations
	compact               // signature and first sentence
	nameOnly              // id
	lastForm  = nameOnly
	defaultOf = full
)

// definitions remembers what was derived from each tool. The zero value is
// ready to use.
type definitions struct {
	mu   sync.RWMutex
	byID map[tool.ID]*definition
}

// of returns what is derived from t; it is computed again only if t's text
// differs from the last one seen under its id.
func (c *definitions) of(t tool.Tool) *definition {
	c.mu.RLock()
	d := c.byID[t.ID]
	c.mu.RUnlock()
	if d != nil && bytes.Equal(d.tool.Raw, t.Raw) {
		return d
	}
	d = &definition{tool: t, hash: t.Hash()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) >= maxKnown {
		c.byID = map[tool.ID]*definition{}
	}
	c.byID[t.ID] = d
	return d
}

// form returns one form of the definition.
func (d *definition) form(f form) fragment {
	d.once.Do(d.render)
	return d.forms[f]
}

func (d *definition) render() {
	t := d.tool
	callWith := member{"call_with", quote(callTool(t.Access()))}
	id, server := member{"id", quote(t.ID.String())}, member{"server", quote(t.ID.Server)}
	sent, err := members(t.Raw)
	if err != nil {
		sent = nil
	}
	list := []member{id, server, {"description", quote(t.Description)},
		{"inputSchema", orElse(valid(t.InputSchema), `{"type":"object"}`)},
		{"annotations", orElse(valid(get(sent, "annotations")), `{}`)}, callWith}
	d.forms[full] = open(list)
	for _, m := range sent {
		switch m.Key {
		case "name", "description", "inputSchema", "annotations", "score":
		default:
			if get(list, m.Key) == nil {
				list = append(list, m)
			}
		}
	}
	d.forms[whole] = open(list)
	d.forms[compact] = open([]member{id, server, {"description", quote(firstSentence(t.Description))},
		{"signature", quote(signature(t))}, callWith})
	d.forms[nameOnly] = open([]member{id, callWith})
}

func open(list []member) fragment {
	text := object(list)
	text = text[:len(text)-1]
	return fragment{text, utf8.RuneCount(text)}
}

// valid returns raw if it is JSON, else nil: one broken schema must not break
// the whole answer.
func valid(raw json.RawMessage) json.RawMessage {
	if !json.Valid(raw) {
		return nil
	}
	return raw
}

func orElse(raw json.RawMessage, fallback string) json.RawMessage {
	if raw == nil {
		return json.RawMessage(fallback)
	}
	return raw
}
