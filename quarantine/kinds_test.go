package quarantine_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// other returns a definition that is no tool. text is its description, or the
// instructions themselves.
func other(kind tool.Kind, name, text string) tool.Tool {
	members := map[string]any{"name": name, "description": text}
	switch kind {
	case tool.Resource:
		members["uri"] = name
	case tool.Template:
		members["uriTemplate"] = name
	case tool.Instructions:
		members = map[string]any{"instructions": text}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	t, err := tool.DecodeAs(kind, server, raw)
	if err != nil {
		panic(err)
	}
	return t
}

// everyKind is one definition of every kind, all of one name where they have one.
func everyKind(text string) (tools, others []tool.Tool) {
	return []tool.Tool{mk("x", text)}, []tool.Tool{
		other(tool.Prompt, "x", text), other(tool.Resource, "x", text), other(tool.Template, "x", text), other(tool.Instructions, "", text),
	}
}

func (b *bench) admitOthers(others ...tool.Tool) string {
	b.t.Helper()
	return b.verdicts(b.gate.AdmitOthers, others, func(id tool.ID) string { return id.Kind.String() })
}

const (
	allServe   = "prompt resource template instructions"
	allPending = "prompt:pending resource:pending template:pending instructions:pending"
	allChanged = "prompt:changed resource:changed template:changed instructions:changed"
)

func TestGate_Kinds_OnePageCoversAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tools, others := everyKind("1")
	b.wantHeld(b.launch(cmdA, false), "nobody has approved it")
	b.want(b.admitOthers(others...), allPending)
	b.inspect(cmdA, append(others, tools...)...)
	page := b.approve(cmdA)
	var kinds []string
	for _, r := range page.Tools {
		kinds = append(kinds, r.Tool.ID.Kind.String())
	}
	b.want(strings.Join(kinds, " "), "tool "+allServe)
	b.want(b.admit(tools...), "x")
	b.want(b.admitOthers(others...), allServe)
	b.reopen()
	if err := b.launch(cmdA, false); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(tools...), "x")
	b.want(b.admitOthers(others...), allServe)
}

func TestGate_Kinds_ChangeIsHeldAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tools, others := everyKind("1")
	changedTools, changed := everyKind("2")
	b.inspect(cmdA, append(tools, others...)...)
	b.wantHeld(b.launch(cmdA, false))
	b.approve(cmdA)
	b.want(b.admitOthers(changed...), allChanged)
	b.want(b.admit(tools...), "x") // of another kind, though of the same name
	if n := b.gate.HeldTools()[server]; n != 4 {
		t.Errorf("HeldTools = %d, want 4", n)
	}
	b.want(b.admit(changedTools...), "x:changed")
	page := b.page(cmdA)
	if len(page.Tools) != 5 {
		t.Fatalf("page has %d definitions, want 5", len(page.Tools))
	}
	for _, r := range page.Tools {
		if r.State != quarantine.Changed || len(r.Previous) == 0 {
			t.Errorf("%s is %s, previous %q", r.Tool.ID, r.State, r.Previous)
		}
		if d, err := quarantine.Compare(r.Previous, r.Tool.Raw); err != nil || len(d.Changes) != 1 {
			t.Errorf("Compare of %s = %+v, %v", r.Tool.ID, d, err)
		}
	}
	for _, c := range changed {
		if err := b.gate.Approve(c.ID, c.Hash()); err != nil {
			t.Errorf("Approve(%s) = %v", c.ID, err)
		}
	}
	b.want(b.admitOthers(changed...), allServe)
	b.want(b.admit(changedTools...), "x:changed")
}

// TestGate_Kinds_NamesDoNotMix approves a prompt and sees that no tool gets
// anything from it, whatever it is called.
func TestGate_Kinds_NamesDoNotMix(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.inspect(cmdA, other(tool.Prompt, "x", "1"))
	b.wantHeld(b.launch(cmdA, false))
	b.approve(cmdA)
	for _, name := range []string{"x", "prompt/x", "tool/prompt/x"} {
		twin := tool.Tool{ID: tool.ID{Server: server, Name: name}, Raw: other(tool.Prompt, "x", "1").Raw}
		if err := b.gate.Check(twin.ID, twin.Hash()); !errors.Is(err, quarantine.ErrHeld) {
			t.Errorf("tool %q serves after the approval of prompt x: %v", name, err)
		}
	}
	b.reopen()
	if err := b.launch(cmdA, false); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(mk("prompt/x", "1")), "prompt/x:pending")
	b.want(b.admitOthers(other(tool.Prompt, "x", "1")), "prompt")
}

func TestGate_Kinds_TrustAtFirstSight(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tools, others := everyKind("1")
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(tools...), "x")
	b.want(b.admitOthers(others...), allServe)
	b.want(b.admitOthers(append(others, other(tool.Prompt, "later", "1"))...), allServe+" prompt:pending")
	_, changed := everyKind("2")
	b.want(b.admitOthers(changed...), allChanged)
}

// TestGate_Kinds_EmptyFirstListingCounts: trust at first sight is for what was
// there then, and nothing is something.
func TestGate_Kinds_EmptyFirstListingCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, others := everyKind("1")
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admitOthers(), "")
	b.want(b.admitOthers(others...), allPending)
	b.want(b.admit(mk("x", "1")), "x")
}

func TestGate_Kinds_RevertAndFlap(t *testing.T) {
	t.Parallel()
	for _, kind := range []tool.Kind{tool.Prompt, tool.Resource, tool.Template, tool.Instructions} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			good, bad := other(kind, "x", "1"), other(kind, "x", "2")
			if err := b.launch(cmdA, true); err != nil {
				t.Fatal(err)
			}
			b.want(b.admitOthers(good), kind.String())
			b.want(b.admitOthers(bad), kind.String()+":changed")
			b.want(b.admitOthers(good), kind.String())
			b.want(b.admitOthers(bad), kind.String()+":changed")
			b.want(b.admitOthers(good), kind.String()+":changed") // flapping
			if err := b.gate.Approve(good.ID, good.Hash()); err != nil {
				t.Fatal(err)
			}
			b.want(b.admitOthers(good), kind.String())
			if err := b.gate.Block(good.ID); err != nil {
				t.Fatal(err)
			}
			b.want(b.admitOthers(good), kind.String()+":blocked")
			b.reopen()
			if err := b.launch(cmdA, false); err != nil {
				t.Fatal(err)
			}
			b.want(b.admitOthers(good), kind.String()+":blocked")
		})
	}
}

func TestGate_Kinds_LookAlikesWithinAKind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(mk("review", "1")), "review")
	b.want(b.admitOthers(other(tool.Prompt, "review", "1"), other(tool.Prompt, "rеview", "2")), "prompt prompt:pending")
	page := b.page(cmdA)
	if len(page.Tools) != 1 || page.Tools[0].LooksLike != "review" {
		t.Errorf("page = %+v, want the look-alike with its twin", page.Tools)
	}
}

// TestGate_Kinds_HintsAreForTools: a change that a tool would get away with holds
// everything else.
func TestGate_Kinds_HintsAreForTools(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	was, err := tool.DecodeAs(tool.Resource, server, []byte(`{"uri":"x","annotations":{"readOnlyHint":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	is, err := tool.DecodeAs(tool.Resource, server, []byte(`{"uri":"x","annotations":{"readOnlyHint":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.admitOthers(was), "resource")
	b.want(b.admitOthers(is), "resource:changed")
	for policy, want := range map[quarantine.Policy]string{
		quarantine.PolicyAnnotations: "resource:changed prompt:pending", quarantine.PolicyNewTools: "resource:changed prompt:pending", quarantine.PolicyAll: "resource prompt",
	} {
		c := newBench(t)
		if err := c.launch(cmdA, true); err != nil {
			t.Fatal(err)
		}
		c.want(c.admitOthers(was), "resource")
		c.gate.SetPolicies(map[string]quarantine.Policy{server: policy})
		c.want(c.admitOthers(is, other(tool.Prompt, "new", "1")), want)
	}
}

// TestGate_Remembered: what was approved is known before anything is listed, and
// nothing else is.
func TestGate_Remembered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tools, others := everyKind("1")
	remembered := func() string {
		t.Helper()
		list, err := b.gate.Remembered(server)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, kind := range tool.Kinds {
			for _, r := range tool.Of(kind, list) {
				kinds = append(kinds, kind.String())
				if err := b.gate.Check(r.ID, r.Hash()); err != nil {
					t.Errorf("remembered, but Check(%s) = %v", r.ID, err)
				}
			}
		}
		return strings.Join(kinds, " ")
	}
	b.inspect(cmdA, append(tools, others...)...)
	b.want(remembered(), "")
	b.wantHeld(b.launch(cmdA, false))
	b.approve(cmdA)
	b.reopen()
	b.want(remembered(), "") // nobody named the identity in force
	if err := b.launch(cmdA, false); err != nil {
		t.Fatal(err)
	}
	b.want(remembered(), allServe)
	_, changed := everyKind("2")
	b.admitOthers(changed[0], others[1], others[2], others[3], other(tool.Prompt, "new", "1"))
	if err := b.gate.Block(others[1].ID); err != nil {
		t.Fatal(err)
	}
	b.want(remembered(), "template instructions")
	b.reopen()
	_ = b.launch(cmdA, false)
	b.want(remembered(), "template instructions")
	b.wantHeld(b.launch(cmdB, false))
	b.want(remembered(), "")
}

// TestGate_Waits_InAnySpelling: a resource that is held or blocked waits however
// its URI is written.
func TestGate_Waits_InAnySpelling(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	held, blocked, served := other(tool.Resource, "file:///Held", "1"), other(tool.Resource, "FILE:///blo%63ked", "1"), other(tool.Resource, "file:///served", "1")
	b.inspect(cmdA, blocked, served)
	b.wantHeld(b.launch(cmdA, false))
	b.approve(cmdA)
	if err := b.launch(cmdA, false); err != nil {
		t.Fatal(err)
	}
	if err := b.gate.Block(blocked.ID); err != nil {
		t.Fatal(err)
	}
	b.admitOthers(held, blocked, served)
	for uri, want := range map[string]bool{
		"file:///Held": true, "file:///%48eld": true, "file:///a/../Held": true, "file:///held": false,
		"file:///blocked": true, "FILE:///blo%63ked": true, "file:///served": false, "file:///other": false,
	} {
		if got := b.gate.Waits(tool.ID{Server: server, Kind: tool.Resource, Name: uri}); got != want {
			t.Errorf("Waits(%s) = %v, want %v", uri, got, want)
		}
	}
}
