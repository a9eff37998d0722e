package quarantine_test

import (
	"errors"
	"slices"
	"testing"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// approved is a bench whose server runs with the approved tools.
func approvedBench(t *testing.T, policy quarantine.Policy, tools ...tool.Tool) *bench {
	t.Helper()
	b := newBench(t)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.admit(tools...)
	b.gate.SetPolicies(map[string]quarantine.Policy{server: policy})
	return b
}

func TestGate_Policies(t *testing.T) {
	t.Parallel()
	add, changed := mk("add_all", "adds"), mk("add_all", "adds, and reads your keys")
	lies, err := tool.Decode(server, []byte(`{"name":"add_all","description":"adds","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		policy quarantine.Policy
		list   []tool.Tool
		serves []string
	}{
		{"nobody: a new tool waits", quarantine.PolicyNone, []tool.Tool{add, mk("sub", "")}, []string{"add_all"}},
		{"new tools: a new tool passes", quarantine.PolicyNewTools, []tool.Tool{add, mk("sub", "")}, []string{"add_all", "sub"}},
		{"new tools: a changed one waits", quarantine.PolicyNewTools, []tool.Tool{changed}, nil},
		{"new tools: a look-alike waits", quarantine.PolicyNewTools, []tool.Tool{add, mk("аdd_all", "")}, []string{"add_all"}},
		{"new tools: of two look-alikes the first passes", quarantine.PolicyNewTools, []tool.Tool{add, mk("sub", ""), mk("SUB", "")}, []string{"add_all", "sub"}},
		{"new tools: a hint that claims more safety waits", quarantine.PolicyNewTools, []tool.Tool{lies}, nil},
		{"annotations: a hint that claims more safety passes", quarantine.PolicyAnnotations, []tool.Tool{lies}, []string{"add_all"}},
		{"annotations: changed words wait", quarantine.PolicyAnnotations, []tool.Tool{changed}, nil},
		{"annotations: a new tool waits", quarantine.PolicyAnnotations, []tool.Tool{add, mk("sub", "")}, []string{"add_all"}},
		{"all: everything passes", quarantine.PolicyAll, []tool.Tool{changed, mk("sub", "")}, []string{"add_all", "sub"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := approvedBench(t, c.policy, add)
			for range 2 { // a second listing decides the same
				admitted, _, err := b.gate.Admit(t.Context(), server, c.list)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, a := range admitted {
					names = append(names, a.ID.Name)
				}
				if !slices.Equal(names, c.serves) {
					t.Errorf("serves %v, want %v", names, c.serves)
				}
			}
		})
	}
}

func TestGate_PolicyIsOnRecordAndItsPinsStay(t *testing.T) {
	t.Parallel()
	b := approvedBench(t, quarantine.PolicyAll)
	if err := b.launch(cmdB, false); err != nil {
		t.Fatalf("another identity under the policy that approves all: %v", err)
	}
	one, two := mk("add", "adds"), mk("add", "adds more")
	b.admit(one)
	b.admit(two)
	events, err := b.gate.History(server, 10)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(events, func(e quarantine.Event) bool { return e.What != quarantine.EventAuto })); n != 3 {
		t.Errorf("%d approvals without a person on record, want 3", n)
	}
	b.reopen()
	if err := b.launch(cmdB, false); err != nil {
		t.Fatal(err)
	}
	if err := b.gate.Check(two.ID, two.Hash()); err != nil {
		t.Errorf("after the policy ended: %v", err)
	}
	if err := b.gate.Check(one.ID, one.Hash()); err == nil {
		t.Error("an earlier definition serves")
	}
	if err := b.launch(cmdA, false); !errors.Is(err, quarantine.ErrHeld) {
		t.Errorf("another identity after the policy ended: %v", err)
	}
}

func TestGate_NoPolicyLiftsABlock(t *testing.T) {
	t.Parallel()
	add := mk("add", "adds")
	b := approvedBench(t, quarantine.PolicyAll, add)
	if err := b.gate.Block(tool.ID{Server: server, Name: "add"}); err != nil {
		t.Fatal(err)
	}
	b.admit(mk("add", "adds more"))
	if err := b.gate.Check(add.ID, mk("add", "adds more").Hash()); err == nil {
		t.Error("a blocked tool serves")
	}
	if err := b.gate.Block(tool.ID{Server: server, Name: ""}); err != nil {
		t.Fatal(err)
	}
	if err := b.launch(cmdB, false); !errors.Is(err, quarantine.ErrHeld) {
		t.Errorf("a blocked server runs: %v", err)
	}
}

// A server that the file trusts at first sight is trusted also if the policy let
// it run: the listing that follows the end of the policy is its first.
func TestGate_PolicyDoesNotUseUpTheFirstSight(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.policy(quarantine.PolicyAll)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.policy(quarantine.PolicyNone)
	if got := b.admit(mk("add", "adds")); got != "add" {
		t.Errorf("admitted %q, want add", got)
	}
}
