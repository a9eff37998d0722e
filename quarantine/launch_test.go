package quarantine_test

import (
	"encoding/json"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

func TestGate_Launch_HoldsAnotherSecret(t *testing.T) {
	t.Parallel()
	base := quarantine.Launch{Transport: "stdio", Command: "srv", EnvNames: []string{"TOKEN"}, References: []string{"env TOKEN ${keyring:read}"}}
	for name, change := range map[string]struct {
		to   []string
		says string
	}{
		"another secret":      {[]string{"env TOKEN ${keyring:admin}"}, `secrets +"env TOKEN ${keyring:admin}" -"env TOKEN ${keyring:read}"`},
		"one more":            {[]string{"env TOKEN ${keyring:read}", "env TOKEN ${keyring:admin}"}, `secrets +"env TOKEN ${keyring:admin}"`},
		"a literal instead":   {nil, `secrets -"env TOKEN ${keyring:read}"`},
		"of another variable": {[]string{"env TOKEN ${env:TOKEN}"}, `secrets +"env TOKEN ${env:TOKEN}"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if err := b.launch(base, true); err != nil {
				t.Fatal(err)
			}
			to := base
			to.References = change.to
			b.wantHeld(b.launch(to, true), change.says)
			b.reopen()
			b.wantHeld(b.launch(to, true), change.says)
			if err := b.launch(base, true); err != nil {
				t.Errorf("the approved identity is held: %v", err)
			}
		})
	}
}

// olderStore makes the store of b one that an earlier version wrote: identities
// without secrets and walls, no kinds but tools, no formula.
func (b *bench) olderStore(approved bool, x tool.Tool) {
	b.t.Helper()
	identity := map[string]any{"transport": "stdio", "command": "srv", "env_names": []string{"TOKEN"}}
	rec := map[string]any{"name": server, "first": identity}
	if approved {
		rec["approved"], rec["trust"] = identity, "over"
		b.overwrite("quarantine.approved", x.ID.String(), map[string]any{"formula": 1, "hash": x.Hash(), "raw": []byte(x.Raw)})
	}
	b.overwrite("quarantine.servers", server, rec)
	b.reopen()
}

// TestGate_Launch_OlderStore: an upgrade holds nothing that was approved, takes
// the secrets of that moment for approved, and approves nothing that is new.
func TestGate_Launch_OlderStore(t *testing.T) {
	t.Parallel()
	now := quarantine.Launch{Transport: "stdio", Command: "srv", EnvNames: []string{"TOKEN"}, References: []string{"env TOKEN ${keyring:read}"}, Isolation: "docker node:20"}
	x := mk("x", "1")
	_, others := everyKind("1")

	b := newBench(t)
	b.olderStore(true, x)
	for range 2 { // and once more after a restart
		if err := b.launch(now, true); err != nil {
			t.Fatalf("approved by an earlier version, but %v", err)
		}
		b.want(b.admit(x), "x")
		b.want(b.admitOthers(others...), allPending)
		b.reopen()
	}
	swapped := now
	swapped.References = []string{"env TOKEN ${keyring:admin}"}
	b.wantHeld(b.launch(swapped, true), "secrets")
	open := now
	open.Isolation = ""
	b.wantHeld(b.launch(open, true), "isolation")

	b = newBench(t)
	b.olderStore(true, x)
	other := now
	other.Command = "evil"
	b.wantHeld(b.launch(other, true), `command was "srv", now "evil"`)
	if err := b.launch(now, false); err != nil {
		t.Errorf("the approved identity is held: %v", err)
	}

	b = newBench(t)
	b.olderStore(false, x)
	b.wantHeld(b.launch(now, false), "nobody has approved it")
	b.want(b.admit(x), "x:pending")
}

// TestGate_Admit_EveryPathHolds changes every member of a definition of every
// kind, one at a time: each is held, and the approved one serves again.
func TestGate_Admit_EveryPathHolds(t *testing.T) {
	t.Parallel()
	const more = `"title":"T","description":"D","icons":[{"src":"https://x/i.png","mimeType":"image/png","sizes":["48x48"]}],"_meta":{"k":{"deep":["x",1,true]}},"x-new":{"more":["n",null],"and":{"a":"b","c":"d"}}`
	for kind, raw := range map[tool.Kind]string{
		"":                `{"name":"x","inputSchema":{"type":"object","properties":{"a":{"type":"string","enum":["p","q"],"default":"p","title":"A"}},"required":["a"],"$defs":{"d":{"const":"c"}}},"outputSchema":{"type":"object"},"annotations":{"title":"B"},` + more + `}`,
		tool.Prompt:       `{"name":"x","arguments":[{"name":"a","title":"A","description":"d","required":true},{"name":"b","x-b":{"c":[1]}}],` + more + `}`,
		tool.Resource:     `{"uri":"x","name":"n","mimeType":"text/plain","annotations":{"audience":["user","assistant"],"priority":0.5,"x-a":{"b":["c"]}},` + more + `}`,
		tool.Template:     `{"uriTemplate":"x","name":"n","mimeType":"text/plain","annotations":{"audience":["user","assistant"],"priority":0.5,"lastModified":"2025-01-12T15:00:58Z"},` + more + `}`,
		tool.Instructions: `{"instructions":"Use the tools well."}`,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			admit := b.gate.Admit
			if kind != "" {
				admit = b.gate.AdmitOthers
			}
			decode := func(raw []byte) tool.Tool {
				d, err := tool.DecodeAs(kind, server, raw)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			if err := b.launch(cmdA, true); err != nil {
				t.Fatal(err)
			}
			approved := decode([]byte(raw))
			if admitted, _, err := admit(t.Context(), server, []tool.Tool{approved}); err != nil || len(admitted) != 1 {
				t.Fatalf("the first listing: %v, %v", admitted, err)
			}
			paths := 0
			mutations(raw, func(path string, changed []byte) {
				paths++
				d, err := tool.DecodeAs(kind, server, changed)
				if err != nil || d.ID != approved.ID {
					return // another name: pending, as the tests of names see
				}
				admitted, held, err := admit(t.Context(), server, []tool.Tool{d})
				if err != nil || len(admitted) != 0 || len(held) != 1 || held[0].State != quarantine.Changed {
					t.Errorf("%s: admitted %v, held %v, %v", path, admitted, held, err)
				}
				if err := b.gate.Approve(approved.ID, approved.Hash()); err == nil {
					t.Errorf("%s: the older text was approved in its place", path)
				}
			})
			t.Logf("%d paths", paths)
			if paths < 30 && kind != tool.Instructions {
				t.Errorf("only %d paths", paths)
			}
		})
	}
}

// mutations calls f with raw changed at one path after the other: every leaf, and
// one more member for every object.
func mutations(raw string, f func(path string, changed []byte)) {
	var root any
	if err := json.Unmarshal([]byte(raw), &root); err != nil {
		panic(err)
	}
	emit := func(path string) {
		text, err := json.Marshal(root)
		if err != nil {
			panic(err)
		}
		f(path, text)
	}
	var walk func(path string, v any, put func(any))
	walk = func(path string, v any, put func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for k, child := range v {
				walk(path+"/"+k, child, func(c any) { v[k] = c })
			}
			v["x-added"] = "canary"
			emit(path + "/x-added")
			delete(v, "x-added")
		case []any:
			for i, child := range v {
				walk(path+"[]", child, func(c any) { v[i] = c })
			}
			put(append(append([]any{}, v...), "canary"))
			emit(path + " longer")
			put(v)
		default:
			put("canary")
			emit(path)
			put(v)
		}
	}
	walk("", root, nil)
}
