package app

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"mcpproxy/internal/config"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
	"mcpproxy/upstream/upstreamtest"
)

// A program whose database is about to be damaged. A person approved good and
// moved; moved is configured differently since; trap was held under another
// identity before the configuration trusted it.
const damagedConfig = `{"enable_tray": false, "model": "none", "mcpServers": {
	"good": {"command": "a"}, "moved": {"command": "b"}, "trap": {"command": "a", "quarantined": false}}}`

var approvedTool = upstreamtest.Tool("t")

// damageable makes that program's data directory and returns its database.
func damageable(t testing.TB, dir string) []byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(dir, config.FileName), []byte(damagedConfig), 0o600))
	a, err := open(Options{DataDir: dir}, false)
	must(err)
	for _, name := range []string{"good", "moved"} {
		l := quarantine.Launch{Transport: "stdio", Command: "a"}
		one, err := tool.Decode(name, approvedTool)
		must(err)
		_ = a.gate.Launch(name, l, false)
		must(a.gate.Inspected(name, l, []tool.Tool{one}))
		page, err := a.gate.Page(name, l)
		must(err)
		_, err = a.gate.ApproveServer(name, page.Hash)
		must(err)
	}
	_ = a.gate.Launch("trap", quarantine.Launch{Transport: "stdio", Command: "evil"}, false)
	a.launches(a.inForce.Load())
	must(a.Close())
	data, err := os.ReadFile(filepath.Join(dir, "mcpproxy.db"))
	must(err)
	return data
}

// mayRun starts the program on dir as serve does, and returns what may run, and
// whether a loss is on record.
func mayRun(t testing.TB, dir string) (running map[string]bool, lost bool) {
	t.Helper()
	a, err := open(Options{DataDir: dir}, true)
	if err != nil {
		t.Fatalf("it does not start: %v", err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Errorf("it does not end: %v", err)
		}
	}()
	running = map[string]bool{}
	cfg := a.inForce.Load()
	for i, why := range a.launches(cfg) {
		running[cfg.Servers[i].Name] = why == ""
	}
	for _, text := range []string{"evil", "does t, changed"} {
		one := tool.Tool{ID: tool.ID{Server: "good", Name: "t"}, Raw: json.RawMessage(`{"name":"t","description":"` + text + `"}`)}
		if a.gate.Check(one.ID, one.Hash()) == nil {
			t.Errorf("%q serves", text)
		}
	}
	loss := a.gate.Loss()
	if loss != nil && loss.Kept != "" && running["good"] {
		t.Error("a server runs from a database that was set aside")
	}
	return running, loss != nil
}

// TestDamage_NeverFailsOpen flips bits and cuts the database at random places and
// starts the program: it starts, what no person approved stays held, whatever the
// configuration trusts, and the copy brings back what was approved.
func TestDamage_NeverFailsOpen(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	sound := damageable(t, base)
	if running, lost := mayRun(t, base); !running["good"] || running["moved"] || running["trap"] || lost {
		t.Fatalf("before any damage: %v, lost %v", running, lost)
	}
	tries, random, losses := soak("MCPPROXY_SOAK_DAMAGE", 15), rand.New(rand.NewPCG(3, 5)), 0
	for i := range 2 * tries {
		bad := bytes.Clone(sound)
		if i%2 == 0 {
			bad[random.IntN(len(bad))] ^= byte(1 << random.IntN(8))
		} else {
			bad = bad[:random.IntN(len(bad))]
		}
		dir := t.TempDir()
		copyBackups(t, base, dir)
		if err := os.WriteFile(filepath.Join(dir, "mcpproxy.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		running, lost := mayRun(t, dir)
		if running["moved"] || running["trap"] {
			t.Fatalf("damage %d: %v may run, lost %v", i, running, lost)
		}
		if !lost {
			continue
		}
		losses++
		if again, still := mayRun(t, dir); again["good"] != running["good"] || again["trap"] || !still {
			t.Fatalf("damage %d: at the second start %v may run", i, again)
		}
		restoreNewest(t, dir)
		if running, lost := mayRun(t, dir); !running["good"] || running["moved"] || running["trap"] || lost {
			t.Fatalf("damage %d: restored, %v may run, lost %v", i, running, lost)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if losses == 0 {
		t.Error("no damage was noticed")
	}
	t.Logf("%d flips and %d cuts, %d found at start, each restored", tries, tries, losses)
}

func TestDamage_AMissingDatabaseTrustsNothingAnew(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(path string) error{
		"gone": os.Remove, "empty": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testMissing(t, lose)
		})
	}
}

func testMissing(t *testing.T, lose func(path string) error) {
	dir := t.TempDir()
	damageable(t, dir)
	if err := lose(filepath.Join(dir, "mcpproxy.db")); err != nil {
		t.Fatal(err)
	}
	if running, lost := mayRun(t, dir); running["good"] || running["trap"] || !lost {
		t.Errorf("%v may run, lost %v", running, lost)
	}
	restoreNewest(t, dir)
	if running, lost := mayRun(t, dir); !running["good"] || running["trap"] || lost {
		t.Errorf("restored, %v may run, lost %v", running, lost)
	}
}

func copyBackups(t testing.TB, from, to string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(to, config.FileName), []byte(damagedConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(to, "backups"), os.DirFS(filepath.Join(from, "backups"))); err != nil {
		t.Fatal(err)
	}
}

// restoreNewest does what quarantine restore does.
func restoreNewest(t testing.TB, dir string) {
	t.Helper()
	opt := Options{DataDir: dir}
	copies, err := Copies(opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenRestorer(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	at, err := r.Choose(copies)
	if err != nil || at < 0 {
		t.Fatalf("no copy to restore among %d: %v", len(copies), err)
	}
	if _, err := r.Plan(copies[at]); err != nil {
		t.Fatal(err)
	}
	if err := r.Restore(copies[at]); err != nil {
		t.Fatal(err)
	}
}
