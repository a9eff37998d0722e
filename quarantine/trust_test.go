package quarantine_test

import (
	"encoding/json"
	"errors"
	"testing"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

func TestGate_Trust_FirstSightOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatalf("first sight: %v", err)
	}
	b.reopen() // the trust of the first listing is pinned too
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(mk("x", "1")), "x")
	b.want(b.admit(mk("x", "2"), mk("y", "1")), "x:changed y:pending")
	b.reopen()
	b.wantHeld(b.launch(cmdB, true), "launch identity changed")
}

func TestGate_Trust_EmptyFirstListingCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.want(b.admit(), "")
	b.want(b.admit(mk("x", "1")), "x:pending")
}

// What an agent can do is add, change and remove servers, without the trust of
// the file. None of it may make the trust of a later file worth anything.
func TestGate_Trust_IsNotWonByManagement(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		acts func(b *bench)
		then quarantine.Launch // what the file then trusts
		held bool
	}{
		{"nothing before", func(*bench) {}, cmdA, false},
		{"added, then trusted as it is", func(b *bench) { _ = b.launch(cmdA, false) }, cmdA, false},
		{"added, then trusted as something else", func(b *bench) { _ = b.launch(cmdB, false) }, cmdA, true},
		{"added, changed and changed back", func(b *bench) { _ = b.launch(cmdA, false); _ = b.launch(cmdB, false) }, cmdA, true},
		{"removed and added again", func(b *bench) { _ = b.launch(cmdA, true); b.forget() }, cmdA, true},
		{"never approved, removed, added again", func(b *bench) { _ = b.launch(cmdA, false); b.forget() }, cmdA, true},
		{"approved, removed, added as something else", func(b *bench) {
			_ = b.launch(cmdA, false)
			b.inspect(cmdA)
			b.approve(cmdA)
			b.forget()
		}, cmdB, true},
	}
	for _, tt := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				tt.acts(b)
				if restart {
					b.reopen()
				}
				err := b.launch(tt.then, true)
				if errors.Is(err, quarantine.ErrHeld) != tt.held {
					t.Fatalf("Launch = %v, want held %v", err, tt.held)
				}
				if tt.held {
					b.wantHeld(err, `"quarantined": false`)
					b.want(b.admit(mk("x", "1")), "x:pending")
				}
			})
		}
	}
}

func (b *bench) forget() {
	b.t.Helper()
	if err := b.gate.Forget(server); err != nil {
		b.t.Fatal(err)
	}
}

func TestGate_Trust_AfterInspectionApprovesWhatWasSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, false)
	b.inspect(cmdA, mk("x", "1"))
	b.inspect(cmdA, mk("x", "1")) // looking twice is no harm
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(mk("x", "1"), mk("y", "1")), "x y:pending")

	b = newBench(t)
	_ = b.launch(cmdA, false)
	b.inspect(cmdA, mk("x", "1"))
	b.inspect(cmdA, mk("x", "2")) // it shows different faces
	b.wantHeld(b.launch(cmdA, true))
}

func TestGate_Forget_TakesBackEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.admit(mk("x", "1"))
	b.admit(mk("x", "2"), mk("y", "1"))
	b.forget()
	x := mk("x", "1")
	b.wantHeld(b.gate.Check(x.ID, x.Hash()))
	for range 2 {
		b.wantHeld(b.launch(cmdA, false))
		if page := b.page(cmdA); page.State != quarantine.Pending || page.Inspected || len(page.Tools) != 0 {
			t.Errorf("page = %+v", page)
		}
		b.reopen()
	}
	b.wantHeld(b.launch(cmdA, false))
	b.inspect(cmdA, x)
	b.approve(cmdA) // a person may
	b.want(b.admit(x), "x")
}

func TestGate_WriteFails_NothingAdmitted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.admit(mk("x", "1"), mk("y", "1"))
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	x, y := mk("x", "1"), mk("y", "1")
	b.want(b.admit(x, y), "x y") // nothing to write
	admitted, held, err := b.gate.Admit(t.Context(), server, []tool.Tool{mk("x", "evil"), y})
	if err == nil || admitted != nil || held != nil {
		t.Errorf("Admit = %v, %v, %v, want an error alone", admitted, held, err)
	}
	b.wantHeld(b.gate.Check(x.ID, x.Hash()))
	if err := b.gate.Check(y.ID, y.Hash()); err != nil {
		t.Errorf("what did not change stopped serving: %v", err)
	}
	b.wantHeld(b.gate.Launch("new", cmdA, true), "cannot be written")
	b.wantHeld(b.gate.Check(tool.ID{Server: "new", Name: "x"}, x.Hash()))

	b.open() // space is back, after a restart
	_ = b.launch(cmdA, true)
	b.want(b.admit(mk("x", "evil"), y), "y x:changed")
	b.wantHeld(b.launch(cmdB, true))
}

// raw is the stored form of a record, to damage it.
func (b *bench) overwrite(bucket, key string, value any) {
	b.t.Helper()
	raw, err := store.OpenBucket[any](b.db, bucket)
	if err == nil {
		err = raw.Put(key, value)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestGate_Open_DamagedRecordsAreHeld(t *testing.T) {
	t.Parallel()
	x, y := mk("x", "1"), mk("y", "1")
	tests := []struct {
		name, bucket, key string
		value             any
		want              string // of Admit(x, y) after Launch
	}{
		{"server", "quarantine.servers", "github", []int{1}, "x:approved y:approved"},
		{"approval is no object", "quarantine.approved", "github:x", "?", "y x:pending"},
		{"approval has a bad hash", "quarantine.approved", "github:x", map[string]string{"hash": "12"}, "y x:pending"},
		{"approval of other bytes", "quarantine.approved", "github:x", map[string]any{"formula": 1, "hash": y.Hash()}, "y x:changed"},
		{"held record", "quarantine.held", "github:x", 7, "x y"},
		{"stray key", "quarantine.approved", "nocolon", map[string]any{"hash": x.Hash()}, "x y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			_ = b.launch(cmdA, true)
			b.admit(x, y)
			b.overwrite(tt.bucket, tt.key, tt.value)
			b.reopen()
			err := b.launch(cmdA, true)
			if damaged := tt.bucket == "quarantine.servers"; damaged {
				b.wantHeld(err, "record is damaged")
			} else if err != nil {
				t.Fatal(err)
			}
			if tt.bucket != "quarantine.approved" || tt.key != "nocolon" {
				b.wantHeld(b.gate.Check(x.ID, x.Hash()))
			}
			b.want(b.admit(x, y), tt.want)
			b.inspect(cmdA, x, y)
			b.approve(cmdA)
			b.want(b.admit(x, y), "x y")
			b.reopen()
			_ = b.launch(cmdA, false)
			b.want(b.admit(x, y), "x y")
		})
	}
}

func TestGate_Page_RefusesDamagedText(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.admit(mk("x", "1"))
	evil := mk("x", "evil")
	b.admit(evil)
	b.overwrite("quarantine.held", "github:x", map[string]any{"formula": 1, "hash": evil.Hash(), "raw": []byte(mk("x", "nice").Raw)})
	if _, err := b.gate.Page(server, cmdA); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Page = %v, want ErrDamaged", err)
	}
	if err := b.gate.Approve(evil.ID, evil.Hash()); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Approve = %v, want ErrDamaged", err)
	}
	b.reopen()
	_ = b.launch(cmdA, true)
	if page := b.page(cmdA); len(page.Tools) != 0 {
		t.Errorf("page shows %v", page.Tools)
	}
	b.want(b.admit(evil), "x:changed")
	if page := b.page(cmdA); len(page.Tools) != 1 {
		t.Errorf("the next listing did not mend the record")
	}
}

func TestGate_Open_RecomputesOtherFormula(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	x := mk("x", "1")
	b.admit(x)
	old := map[string]any{"formula": tool.Formula + 1, "hash": tool.Hash{1}, "raw": []byte(x.Raw)}
	b.overwrite("quarantine.approved", "github:x", old)
	b.reopen()
	_ = b.launch(cmdA, true)
	b.want(b.admit(x), "x")
	b.want(b.admit(mk("x", "2")), "x:changed")
}

func TestPage_Hash_CoversEverything(t *testing.T) {
	t.Parallel()
	seen := map[tool.Hash]string{}
	for name, arrange := range map[string]func(b *bench) quarantine.Launch{
		"nothing":   func(b *bench) quarantine.Launch { return cmdA },
		"empty":     func(b *bench) quarantine.Launch { b.inspect(cmdA); return cmdA },
		"one":       func(b *bench) quarantine.Launch { b.inspect(cmdA, mk("x", "1")); return cmdA },
		"other":     func(b *bench) quarantine.Launch { b.inspect(cmdA, mk("x", "2")); return cmdA },
		"two":       func(b *bench) quarantine.Launch { b.inspect(cmdA, mk("x", "1"), mk("y", "1")); return cmdA },
		"identity":  func(b *bench) quarantine.Launch { b.inspect(cmdB, mk("x", "1")); return cmdB },
		"env names": func(b *bench) quarantine.Launch { l := cmdA; l.EnvNames = []string{"C"}; return l },
	} {
		b := newBench(t)
		page := b.page(arrange(b))
		if other, same := seen[page.Hash]; same {
			t.Errorf("pages %q and %q have one hash", name, other)
		}
		seen[page.Hash] = name
	}
	b := newBench(t)
	b.inspect(cmdA, mk("y", "1"), mk("x", "1"))
	first := b.page(cmdA)
	b.inspect(cmdA, mk("x", "1"), mk("y", "1"))
	if second := b.page(cmdA); first.Hash != second.Hash {
		t.Error("the order of a listing changes the page")
	}
	if _, err := json.Marshal(first); err != nil {
		t.Error(err)
	}
}
