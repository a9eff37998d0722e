package config

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/config/jsonc"
)

// Redacted stands in a text for a value that is not shown.
const Redacted = "**redacted**"

// Redact returns text with [Redacted] in the place of every value that may be a
// secret: those of env and headers and a client_secret, unless they are
// placeholders, and a URL with a user or a query. hidden counts them. Lines stay
// lines, and comments as they are. The error is [Faults] if the text is no JSON
// with comments: what cannot be read cannot be redacted.
func Redact(text []byte) (shown []byte, hidden int, err error) {
	doc, err := jsonc.Parse(text)
	if err != nil {
		return nil, 0, syntaxFaults(err)
	}
	var cuts []cut
	for _, s := range secrets(doc.Root) {
		if !s.shown() {
			cuts = append(cuts, cut{s.value, `"` + Redacted + `"`})
		}
	}
	return replace(doc, cuts), len(cuts), nil
}

// Restore puts the values of from in the place of every [Redacted] that
// [Redact] made of them: in the same member of a server of the same name. The
// error is [Faults] for one that stands for nothing, or anywhere else.
func Restore(text, from []byte) ([]byte, error) {
	doc, err := jsonc.Parse(text)
	if err != nil {
		return nil, syntaxFaults(err)
	}
	old, err := jsonc.Parse(from)
	if err != nil {
		return nil, syntaxFaults(err)
	}
	hidden := map[secretKey]string{}
	for _, s := range secrets(old.Root) {
		hidden[s.key] = string(old.Text[s.value.StartOffset:s.value.EndOffset])
	}
	var cuts []cut
	known := map[int]bool{} // offsets of the markers that stand for something
	for _, s := range secrets(doc.Root) {
		if was, ok := hidden[s.key]; ok && isRedacted(s.value) {
			cuts = append(cuts, cut{s.value, was})
			known[s.value.StartOffset] = true
		}
	}
	var faults Faults
	for v := range doc.Root.All() {
		if isRedacted(*v) && !known[v.StartOffset] {
			faults = append(faults, Fault{Line: jsonc.LineOf(doc.Text, v.StartOffset), Message: Redacted + " stands for no value here; write the value, or a placeholder such as ${keyring:name}"})
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return replace(doc, cuts), nil
}

func isRedacted(v hujson.Value) bool {
	return v.Value != nil && v.Value.Kind() == '"' && jsonc.Literal(v) == Redacted
}

// secretKey names a member of a server that may hold a secret.
type secretKey struct{ server, member, key string }

// secretValue is one such value.
type secretValue struct {
	key   secretKey
	value hujson.Value
}

// shown reports whether the value is no secret after all.
func (s secretValue) shown() bool {
	switch s.value.Value.Kind() {
	case 'n':
		return true
	case '"':
	default:
		return false
	}
	text := jsonc.Literal(s.value)
	if s.key.member == "url" {
		u, err := url.Parse(text)
		return err == nil && u.User == nil && u.RawQuery == "" && u.Fragment == ""
	}
	return text == "" || placeholders.MatchString(text)
}

// placeholders matches what is made of placeholders alone, after a scheme as in
// "Bearer ${keyring:name}".
var placeholders = regexp.MustCompile(`^(?i:(?:bearer|basic|token) )?(?:\$\{(?:env|keyring):[^}]*\})+$`)

// secrets lists the values of a configuration that may be secrets. It reads what
// is there and judges nothing: the file may be faulty.
func secrets(root hujson.Value) (list []secretValue) {
	if root.Value == nil {
		return nil
	}
	member := root.Find("/mcpServers")
	if member == nil {
		return nil
	}
	switch servers := member.Value.(type) {
	case *hujson.Array:
		for _, entry := range servers.Elements {
			name := ""
			if n := find(entry, "name"); n != nil && n.Value.Kind() == '"' {
				name = jsonc.Literal(*n)
			}
			list = append(list, serverSecrets(name, entry)...)
		}
	case *hujson.Object:
		for _, m := range servers.Members {
			list = append(list, serverSecrets(jsonc.Literal(m.Name), m.Value)...)
		}
	}
	return list
}

func serverSecrets(server string, entry hujson.Value) (list []secretValue) {
	obj, ok := entry.Value.(*hujson.Object)
	if !ok {
		return nil
	}
	for _, m := range obj.Members {
		name := jsonc.Literal(m.Name)
		table, isTable := m.Value.Value.(*hujson.Object)
		switch {
		case name == "url", (name == "env" || name == "headers") && !isTable:
			list = append(list, secretValue{secretKey{server, name, ""}, m.Value})
		case name == "env" || name == "headers":
			for _, v := range table.Members {
				list = append(list, secretValue{secretKey{server, name, jsonc.Literal(v.Name)}, v.Value})
			}
		case name == "oauth" && isTable:
			if v := find(m.Value, "client_secret"); v != nil {
				list = append(list, secretValue{secretKey{server, name, "client_secret"}, *v})
			}
		}
	}
	return list
}

// find returns the member of an object, or nil.
func find(v hujson.Value, key string) *hujson.Value {
	obj, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil
	}
	for i, m := range obj.Members {
		if jsonc.Literal(m.Name) == key {
			return &obj.Members[i].Value
		}
	}
	return nil
}

// cut is a value with what takes its place.
type cut struct {
	value hujson.Value
	by    string
}

// replace returns the file's bytes with every cut made.
func replace(doc *jsonc.Document, cuts []cut) []byte {
	slices.SortFunc(cuts, func(x, y cut) int { return y.value.StartOffset - x.value.StartOffset })
	for _, c := range cuts { // from the end, so that offsets stay right
		doc.Text = slices.Concat(doc.Text[:c.value.StartOffset], []byte(c.by), doc.Text[c.value.EndOffset:])
	}
	return doc.Bytes()
}
