package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
	"mcpproxy/quarantine"
)

// printPage shows a reviewer everything that an approval would let in.
func printPage(w io.Writer, p client.Waiting) {
	command := "" // of a remote server
	if p.Launch.Command != "" {
		command = hint.Shell(append([]string{p.Launch.Command}, p.Launch.Args...)...)
	}
	pairs(w,
		"server", p.Server,
		"state", p.State,
		"reason", p.Reason,
		"transport", p.Launch.Transport,
		"command", command,
		"folder", p.Launch.WorkingDir,
		"env", strings.Join(p.Launch.EnvNames, ", "),
		"url", p.Launch.URL,
		"headers", strings.Join(p.Launch.HeaderNames, ", "),
		"secrets", strings.Join(p.Launch.References, ", "),
		"isolation", p.Launch.Isolation,
		"image", p.Launch.ImageID,
		"logged in at", p.Launch.Issuer,
		"blocked", strings.Join(p.Blocked, ", "),
		"hash", p.Hash)
	switch {
	case len(p.Tools) > 0:
		fmt.Fprintf(w, "\n%s:\n", counted(p.Tools))
	case p.State != "approved":
		fmt.Fprintln(w, "\nIt lists nothing.")
	}
	for _, t := range p.Tools {
		printTool(w, t)
	}
}

// printTool shows one definition whole: its description as text, and every
// other member as JSON; or what changed in it, if it was approved before.
func printTool(w io.Writer, t client.Tool) {
	hash := t.Hash
	if len(hash) > 12 {
		hash = hash[:12]
	}
	what := t.Access
	if what == "" {
		what = t.Kind
	}
	fmt.Fprintf(w, "\n  %s  (%s, %s, %s)\n", escape.Line(t.ID), escape.Line(what), escape.Line(t.State), escape.Line(hash))
	if text := notes(t); text != "" {
		fmt.Fprint(w, indent("    ", text))
	}
	if d, changed := differenceOf(t); changed {
		fmt.Fprintf(w, "    since the approval: %s\n", classOf(d, t))
		for _, line := range d.Lines(defaultColumns, quarantine.PlainMarks) {
			fmt.Fprintln(w, "    "+line)
		}
		return
	}
	if t.Description != "" {
		fmt.Fprint(w, indent("    ", t.Description))
	}
	members, err := membersOf(t.Definition)
	if err != nil {
		fmt.Fprint(w, indent("    ", string(t.Definition)))
		return
	}
	for _, m := range members {
		if shown := m.text(); (m.key == "name" || m.key == "uri" || m.key == "uriTemplate") && shown == t.Name || (m.key == "description" || m.key == "instructions") && shown == t.Description {
			continue
		}
		fmt.Fprint(w, prefixed("    ", escape.Line(m.key)+": "+m.pretty()))
	}
}

type member struct {
	key   string
	value json.RawMessage
}

// text is the value if it is a string.
func (m member) text() string {
	var s string
	_ = json.Unmarshal(m.value, &s)
	return s
}

// pretty is the value as safe JSON, on one line if it is short.
func (m member) pretty() string {
	const short = 120
	var out bytes.Buffer
	if err := json.Compact(&out, m.value); err == nil && out.Len() > short {
		out.Reset()
		_ = json.Indent(&out, m.value, "", "  ") // as valid as it was
	}
	return string(escape.JSON(out.Bytes()))
}

// membersOf returns the members of a JSON object in their order.
func membersOf(object json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	var list []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var m member
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		m.key, _ = key.(string)
		list = append(list, m)
	}
	return list, nil
}
