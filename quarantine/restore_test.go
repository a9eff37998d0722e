package quarantine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// copied returns the records of a backup made now.
func (b *bench) copied() []store.Record {
	b.t.Helper()
	c, err := b.db.Backup(quarantine.Prefix, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	records, err := c.Load()
	if err != nil {
		b.t.Fatal(err)
	}
	return records
}

// restore is quarantine restore of records between two runs.
func (b *bench) restore(records, latest []store.Record) quarantine.Restoration {
	b.t.Helper()
	plan, err := quarantine.PlanRestore(b.db, records, latest)
	if err == nil {
		err = quarantine.Restore(b.db, records, latest)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.reopen()
	return plan
}

// TestRestore_TrustsNothingAnew: a copy from before a server was first seen does
// not let the configuration trust what goes by its name now.
func TestRestore_TrustsNothingAnew(t *testing.T) {
	t.Parallel()
	for name, since := range map[string]func(b *bench){
		"trusted at first sight": func(b *bench) { _ = b.launch(cmdA, true); b.admit(mk("t", "good")) },
		"seen and held":          func(b *bench) { _ = b.launch(cmdA, false) },
		"forgotten": func(b *bench) {
			_ = b.launch(cmdA, true)
			b.admit(mk("t", "good"))
			if err := b.gate.Forget(server); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			before := b.copied()
			since(b)
			b.restore(before, nil)
			if err := b.launch(cmdB, true); !errors.Is(err, quarantine.ErrHeld) {
				t.Errorf("after the restore another identity of that name: Launch = %v, want it held", err)
			}
			_ = b.launch(cmdA, true)
			if got := b.admit(mk("t", "evil")); got != "t:pending" && got != "t:changed" {
				t.Errorf("Admit = %q, want it held", got)
			}
		})
	}
	t.Run("a listing that was still to come", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		_ = b.launch(cmdA, true)
		before := b.copied() // the launch is trusted, its listing will be
		b.admit(mk("t", "good"))
		b.restore(before, nil)
		_ = b.launch(cmdA, true)
		if got := b.admit(mk("t", "evil")); got != "t:pending" {
			t.Errorf("Admit = %q, want it held", got)
		}
	})
}

// TestRestore_KeepsBlocks also where the database that knew them is lost.
func TestRestore_KeepsBlocks(t *testing.T) {
	t.Parallel()
	one := mk("t", "good")
	b := served(t, one)
	before := b.copied()
	if err := b.gate.Block(one.ID); err != nil {
		t.Fatal(err)
	}
	latest := b.copied()
	lost := newBench(t)
	if err := quarantine.RecordLoss(lost.db, quarantine.Loss{Reason: "damaged", Before: 2}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		*bench
		latest []store.Record
	}{"sound": {b, nil}, "lost": {lost, latest}} {
		plan := c.restore(before, c.latest)
		if !slices.Equal(plan.Blocked, []string{"github:t"}) {
			t.Errorf("%s: the plan keeps blocked %q", name, plan.Blocked)
		}
		_ = c.launch(cmdA, false)
		c.gate.Admit(t.Context(), server, []tool.Tool{one})
		if err := c.gate.Check(one.ID, one.Hash()); !errors.Is(err, quarantine.ErrHeld) {
			t.Errorf("%s: Check = %v, want it held", name, err)
		}
	}
	if plan := b.restore(latest, nil); len(plan.Again) != 0 {
		t.Errorf("the plan blocks again %q", plan.Again)
	}
	if err := b.gate.Unblock(one.ID); err != nil {
		t.Fatal(err)
	}
	if plan := b.restore(latest, nil); !slices.Equal(plan.Again, []string{"github:t"}) {
		t.Errorf("lifted since, the plan blocks again %q", plan.Again)
	}
}

func TestRestore_KeepsFlappingAndHistory(t *testing.T) {
	t.Parallel()
	good, bad := mk("t", "good"), mk("t", "bad")
	b := served(t, good)
	before := b.copied()
	for _, listed := range []tool.Tool{bad, good, bad, good} {
		b.admit(listed)
	}
	b.restore(before, nil)
	_ = b.launch(cmdA, false)
	if got := b.admit(good); got != "t:changed" {
		t.Errorf("went back and forth before the restore: Admit = %q, want it held", got)
	}
	events, err := b.gate.History(server, 100)
	if err != nil || !slices.ContainsFunc(events, func(e quarantine.Event) bool { return e.What == quarantine.EventFlapping }) {
		t.Errorf("the history of before the restore is gone: %v, %v", events, err)
	}
}

// TestRestore_OfAServerUnderAnotherName: what damage put under a name that no
// server has is no loss any more, and the server it is of is not trusted anew.
func TestRestore_OfAServerUnderAnotherName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.copied()
	_ = b.launch(cmdA, true)
	servers, err := store.OpenBucket[json.RawMessage](b.db, quarantine.Prefix+"servers")
	if err != nil {
		t.Fatal(err)
	}
	record, err := servers.Get(server)
	if err != nil {
		t.Fatal(err)
	}
	if err := servers.Update(map[string]json.RawMessage{server[:len(server)-1] + "\xff": record}, []string{server}); err != nil {
		t.Fatal(err)
	}
	if b.reopen(); b.gate.Loss() == nil {
		t.Fatal("Loss() = nil for a server under another name")
	}
	b.restore(before, nil)
	if loss := b.gate.Loss(); loss != nil {
		t.Errorf("after the restore Loss() = %+v", loss)
	}
	if err := b.launch(cmdB, true); !errors.Is(err, quarantine.ErrHeld) {
		t.Errorf("after the restore another identity of that name: Launch = %v, want it held", err)
	}
}
