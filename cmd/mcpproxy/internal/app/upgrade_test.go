package app

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mcpproxy/internal/config"
	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// earlier unpacks a data directory that an earlier version wrote: of units a
// person approved six tools, notes is trusted at first sight, held was looked at
// and remote was not.
func earlier(t *testing.T) string {
	t.Helper()
	dir, from := t.TempDir(), filepath.Join("testdata", "upgrade")
	packed, err := os.Open(filepath.Join(from, "issue3.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mcpproxy.db"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(from, "issue3.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, config.FileName), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestUpgrade_KeepsApprovals opens what an earlier version wrote: approvals
// serve, nothing is held as changed, and nothing is approved by the upgrade.
func TestUpgrade_KeepsApprovals(t *testing.T) {
	t.Parallel()
	dir := earlier(t)
	a, err := open(Options{DataDir: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	before, err := a.gate.History("", 1000)
	if err != nil {
		t.Fatal(err)
	}
	cfg := a.inForce.Load()
	want := map[string]bool{"units": true, "notes": true, "remote": false, "held": false}
	for i, why := range a.launches(cfg) {
		if name := cfg.Servers[i].Name; (why == "") != want[name] {
			t.Errorf("%s may run: %v (%s)", name, why == "", why)
		}
	}
	approved := approvedBytes(t, a.db)
	if len(approved["units"]) != 6 || len(approved["notes"]) == 0 {
		t.Fatalf("approved are %d tools of units, %d of notes", len(approved["units"]), len(approved["notes"]))
	}
	for server, tools := range approved {
		admitted, held, err := a.gate.Admit(t.Context(), server, tools)
		if err != nil || len(admitted) != len(tools) || len(held) != 0 {
			t.Errorf("%s: %d of %d tools serve, %d wait, %v", server, len(admitted), len(tools), len(held), err)
		}
	}
	after, err := a.gate.History("", 1000)
	if err != nil || len(after) != len(before) {
		t.Errorf("the upgrade did something at the gate: %+v, %v", after[:max(len(after)-len(before), 0)], err)
	}
	if page, err := a.page(cfg.Servers[3]); err != nil || page.State != quarantine.Pending || len(page.Tools) == 0 {
		t.Errorf("what waited shows %d tools as %s, %v", len(page.Tools), page.State, err)
	}
}

// approvedBytes reads the approved tools by server, as they are stored.
func approvedBytes(t *testing.T, db *store.DB) map[string][]tool.Tool {
	t.Helper()
	b, err := db.Backup(quarantine.Prefix, 0)
	if err != nil {
		t.Fatal(err)
	}
	records, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]tool.Tool{}
	for _, r := range records {
		if r.Bucket != quarantine.Prefix+"approved" {
			continue
		}
		var d struct{ Raw []byte }
		if err := json.Unmarshal(r.Value, &d); err != nil {
			t.Fatal(err)
		}
		id, err := tool.ParseID(string(r.Key))
		if err != nil {
			t.Fatal(err)
		}
		one, err := tool.Decode(id.Server, d.Raw)
		if err != nil {
			t.Fatal(err)
		}
		list[id.Server] = append(list[id.Server], one)
	}
	return list
}
