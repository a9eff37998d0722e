package proxy

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/yosida95/uritemplate/v3"

	"mcpproxy/internal/tool"
)

// offered is one approved definition that is no tool, as agents see it.
type offered struct {
	def    tool.Tool
	hash   tool.Hash
	name   string          // what it is listed as: a name of ours, or a URI
	listed json.RawMessage // the approved definition under that name
	match  *regexp.Regexp  // of a template; nil if it makes no URI
}

// shelf is everything besides tools that agents may have. Immutable.
type shelf struct {
	servers map[string]goods
	lists   map[tool.Kind][]*offered          // by listed name
	byName  map[tool.Kind]map[string]*offered // listed name
	byURI   map[string][]*offered             // resources by their own URI
	heldAs  map[string]string                 // servers of prompts that wait, by the name they would be listed as; of several the first
}

// goods is what one server brings.
type goods struct {
	admitted []tool.Tool
	held     []tool.ID
}

// Offer makes admitted, which the gate let through, all that agents get of a
// server besides tools; they are told if that differs. held is what waits of it.
// A server that may not run offers nothing.
func (p *Proxy) Offer(server string, admitted []tool.Tool, held []tool.ID) {
	p.offering.Lock()
	defer p.offering.Unlock()
	old := p.shelf.Load()
	servers := maps.Clone(old.servers)
	delete(servers, server)
	if len(admitted)+len(held) > 0 {
		servers[server] = goods{admitted, held}
	}
	now := stock(servers)
	p.shelf.Store(now)
	if !sameList(old.lists[tool.Prompt], now.lists[tool.Prompt]) {
		p.announce("notifications/prompts/list_changed")
	}
	if !sameList(old.lists[tool.Resource], now.lists[tool.Resource]) || !sameList(old.lists[tool.Template], now.lists[tool.Template]) {
		p.announce("notifications/resources/list_changed")
	}
}

// stock builds a shelf.
func stock(servers map[string]goods) *shelf {
	s := &shelf{
		servers: servers, lists: map[tool.Kind][]*offered{}, byName: map[tool.Kind]map[string]*offered{},
		byURI: map[string][]*offered{}, heldAs: map[string]string{},
	}
	for _, server := range slices.Sorted(maps.Keys(servers)) {
		for _, t := range servers[server].admitted {
			o := &offered{def: t, hash: t.Hash()}
			s.lists[t.ID.Kind] = append(s.lists[t.ID.Kind], o)
			if t.ID.Kind == tool.Resource {
				s.byURI[t.ID.Name] = append(s.byURI[t.ID.Name], o)
			}
		}
		for _, id := range servers[server].held {
			if name := promptName(id, 0); id.Kind == tool.Prompt && s.heldAs[name] == "" {
				s.heldAs[name] = server
			}
		}
	}
	for kind, list := range s.lists {
		s.byName[kind] = label(kind, list)
		slices.SortFunc(list, func(a, b *offered) int { return strings.Compare(a.name, b.name) })
	}
	return s
}

// label gives every definition of a kind its listed name and returns them by it.
func label(kind tool.Kind, list []*offered) map[string]*offered {
	names := make(map[tool.ID]string, len(list))
	switch kind {
	case tool.Prompt:
		nameAll(names, list, promptName)
	case tool.Resource, tool.Template:
		nameAll(names, list, resourceName)
	default: // instructions: one for each server
		for _, o := range list {
			names[o.def.ID] = o.def.ID.Server
		}
	}
	byName := make(map[string]*offered, len(list))
	for _, o := range list {
		o.name, o.listed = names[o.def.ID], oneLine(o.def.Raw)
		key := map[tool.Kind]string{tool.Prompt: "name", tool.Resource: "uri", tool.Template: "uriTemplate"}[kind]
		if o.name != o.def.ID.Name && key != "" {
			o.listed = oneLine(withMember(o.def.Raw, key, quote(o.name)))
		}
		if kind == tool.Template {
			o.match = maker(o.def.ID.Name)
		}
		byName[o.name] = o
	}
	return byName
}

// maker matches the URIs that a template makes; nil if it is none.
func maker(template string) *regexp.Regexp {
	t, err := uritemplate.New(template)
	if err != nil {
		return nil
	}
	return t.Regexp()
}

// withMember returns the object raw with the value of every member key replaced;
// all other bytes stay.
func withMember(raw json.RawMessage, key string, value []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return raw
	}
	var out []byte
	kept := int64(0)
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return raw
		}
		var old json.RawMessage
		if d.Decode(&old) != nil {
			return raw
		}
		if tok == key {
			end := d.InputOffset()
			out = append(append(out, raw[kept:end-int64(len(old))]...), value...)
			kept = end
		}
	}
	return append(out, raw[kept:]...)
}

func sameList(a, b []*offered) bool {
	return slices.EqualFunc(a, b, func(x, y *offered) bool {
		return x.name == y.name && x.def.ID == y.def.ID && bytes.Equal(x.def.Raw, y.def.Raw)
	})
}
