package quarantine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

const server = "github"

var (
	cmdA = quarantine.Launch{Transport: "stdio", Command: "srv-a", Args: []string{"--token", "s3cret"}, EnvNames: []string{"B", "A"}}
	cmdB = quarantine.Launch{Transport: "stdio", Command: "srv-b", Args: []string{"--token", "s3cret"}, EnvNames: []string{"A", "B"}}
)

// bench is a gate on a database that can be reopened.
type bench struct {
	t    testing.TB
	dir  string
	db   *store.DB
	gate *quarantine.Gate
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.open()
	t.Cleanup(func() { _ = b.db.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.db, err = store.Open(b.dir); err != nil {
		b.t.Fatal(err)
	}
	if b.gate, err = quarantine.Open(b.db); err != nil {
		b.t.Fatal(err)
	}
}

// reopen is a restart of the proxy, before it read its configuration.
func (b *bench) reopen() {
	b.t.Helper()
	if err := b.db.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

// mk returns tool name with a description.
func mk(name, description string) tool.Tool {
	raw, err := json.Marshal(map[string]any{"name": name, "description": description, "inputSchema": map[string]any{"type": "object"}})
	if err != nil {
		panic(err)
	}
	t, err := tool.Decode(server, raw)
	if err != nil {
		panic(err)
	}
	return t
}

func (b *bench) launch(l quarantine.Launch, trust bool) error { return b.gate.Launch(server, l, trust) }

// admit returns the admitted names and the held ones with their state, joined.
func (b *bench) admit(tools ...tool.Tool) string {
	b.t.Helper()
	return b.verdicts(b.gate.Admit, tools, func(id tool.ID) string { return id.Name })
}

// verdicts names what admit admitted and what it held, and checks each.
func (b *bench) verdicts(admit func(context.Context, string, []tool.Tool) ([]tool.Tool, []quarantine.Record, error), list []tool.Tool, name func(tool.ID) string) string {
	b.t.Helper()
	admitted, held, err := admit(b.t.Context(), server, list)
	if err != nil {
		b.t.Fatal(err)
	}
	var words []string
	for _, t := range admitted {
		words = append(words, name(t.ID))
		if err := b.gate.Check(t.ID, t.Hash()); err != nil {
			b.t.Errorf("admitted, but Check(%s) = %v", t.ID, err)
		}
	}
	for _, r := range held {
		words = append(words, fmt.Sprintf("%s:%s", name(r.Tool.ID), r.State))
		if err := b.gate.Check(r.Tool.ID, r.Hash); !errors.Is(err, quarantine.ErrHeld) {
			b.t.Errorf("held, but Check(%s) = %v", r.Tool.ID, err)
		}
	}
	return strings.Join(words, " ")
}

// approve approves the page as it is now.
func (b *bench) approve(l quarantine.Launch) quarantine.Page {
	b.t.Helper()
	page := b.page(l)
	if n, err := b.gate.ApproveServer(server, page.Hash); err != nil || n != len(page.Tools) {
		b.t.Fatalf("ApproveServer = %d, %v, want %d tools", n, err, len(page.Tools))
	}
	return page
}

func (b *bench) page(l quarantine.Launch) quarantine.Page {
	b.t.Helper()
	page, err := b.gate.Page(server, l)
	if err != nil {
		b.t.Fatal(err)
	}
	return page
}

func (b *bench) inspect(l quarantine.Launch, tools ...tool.Tool) {
	b.t.Helper()
	if err := b.gate.Inspected(server, l, tools); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) wantHeld(err error, parts ...string) {
	b.t.Helper()
	if !errors.Is(err, quarantine.ErrHeld) {
		b.t.Fatalf("error = %v, want ErrHeld", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			b.t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		b.t.Errorf("error %q quotes an argument", err)
	}
}

func (b *bench) want(got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("got %q, want %q", got, want)
	}
}

func TestGate_Launch_HoldsUntilApproved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wantHeld(b.launch(cmdA, false), "nobody has approved it", "mcpproxy quarantine inspect github", "mcpproxy quarantine approve github")
	b.want(b.admit(mk("x", "1")), "x:pending")
	b.inspect(cmdA, mk("x", "1"), mk("y", "1"))
	b.wantHeld(b.launch(cmdA, false))
	page := b.approve(cmdA)
	if page.State != quarantine.Pending || !page.Inspected || len(page.Tools) != 2 {
		t.Errorf("page = %+v", page)
	}
	if err := b.launch(cmdA, false); err != nil {
		t.Errorf("Launch after approval = %v", err)
	}
	b.want(b.admit(mk("y", "1"), mk("x", "1"), mk("z", "1")), "y x z:pending")
}

func TestGate_Launch_HoldsChangedIdentity(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, false)
	b.inspect(cmdA, mk("x", "1"), mk("gone", "1"))
	b.approve(cmdA)
	x := mk("x", "1")

	b.wantHeld(b.launch(cmdB, true), `launch identity changed: command was "srv-a", now "srv-b"`)
	b.wantHeld(b.gate.Check(x.ID, x.Hash()), "launch identity changed")
	b.want(b.admit(x), "x:approved")
	if got := b.gate.StateOf(x.ID, x.Hash()); got != quarantine.Changed {
		t.Errorf("StateOf = %v, want changed", got)
	}
	if err := b.launch(cmdA, false); err != nil {
		t.Errorf("back to the approved identity: %v", err)
	}
	b.want(b.admit(x), "x")

	_ = b.launch(cmdB, false)
	if page := b.page(cmdB); page.State != quarantine.Changed || page.Inspected || page.Previous == nil || page.Previous.Command != "srv-a" {
		t.Errorf("page = %+v", page)
	}
	b.inspect(cmdB, x)
	b.approve(cmdB)
	b.want(b.admit(x, mk("gone", "1")), "x gone:pending") // exactly the tools of the page
	b.wantHeld(b.launch(cmdA, false), "launch identity changed")
}

func TestGate_Launch_SaysWhatChanged(t *testing.T) {
	t.Parallel()
	base := quarantine.Launch{Transport: "http", URL: "https://a.example/s3cret?k=s3cret", HeaderNames: []string{"Authorization"}}
	tests := []struct {
		name string
		to   quarantine.Launch
		want string
	}{
		{"host", quarantine.Launch{Transport: "http", URL: "https://b.example/", HeaderNames: base.HeaderNames}, `url was at "https://a.example", now at "https://b.example"`},
		{"path", quarantine.Launch{Transport: "http", URL: "https://a.example/y", HeaderNames: base.HeaderNames}, `url differs after "https://a.example"`},
		{"headers", quarantine.Launch{Transport: "http", URL: base.URL, HeaderNames: []string{"X"}}, `header names +"X" -"Authorization"`},
		{"transport", quarantine.Launch{Transport: "stdio", Command: "a\x1b[2J"}, `transport was "http", now "stdio"; command was "", now "a\x1b[2J"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if err := b.launch(base, true); err != nil {
				t.Fatal(err)
			}
			b.wantHeld(b.launch(tt.to, true), tt.want)
		})
	}
}

func TestGate_Admit_HoldsOneByOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, false)
	b.inspect(cmdA, mk("x", "1"), mk("y", "1"))
	b.approve(cmdA)
	b.want(b.admit(mk("x", "evil"), mk("y", "1"), mk("new", "1")), "y x:changed new:pending")
	x := mk("x", "1")
	b.wantHeld(b.gate.Check(x.ID, x.Hash()), "changed since it was approved", "mcpproxy quarantine inspect github")
	if n := b.gate.HeldTools()[server]; n != 2 {
		t.Errorf("HeldTools = %d, want 2", n)
	}

	page := b.page(cmdA)
	if page.State != quarantine.Approved || len(page.Tools) != 2 || page.Tools[1].State != quarantine.Changed {
		t.Fatalf("page = %+v", page)
	}
	if got := string(page.Tools[1].Previous); got != string(x.Raw) {
		t.Errorf("Previous = %s, want the approved bytes", got)
	}
	b.want(b.admit(x, mk("y", "1")), "x y") // reverted, and the new one withdrawn
	if page := b.page(cmdA); len(page.Tools) != 0 {
		t.Errorf("page still shows %d tools", len(page.Tools))
	}
	b.want(b.admit(mk("y", "1")), "y")
	b.want(b.admit(mk("y", "1"), x), "y x") // gone and back unchanged
}

func TestGate_Admit_IgnoresRepeatedNames(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(mk("x", "1"), mk("x", "2"), mk(strings.Repeat("n", 513), "1")), "x")
	b.want(b.admit(mk("x", "1"), mk("x", "3")), "x")
	b.want(b.admit(mk("x", "2"), mk("x", "1")), "x:changed")
}

func TestGate_ApproveServer_RefusesAnotherPage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, false)
	shown := b.page(cmdA)
	if _, err := b.gate.ApproveServer(server, shown.Hash); !errors.Is(err, quarantine.ErrNotInspected) {
		t.Errorf("without a listing: %v, want ErrNotInspected", err)
	}
	b.inspect(cmdA, mk("x", "1"))
	shown = b.page(cmdA)
	b.inspect(cmdA, mk("x", "2"))
	if _, err := b.gate.ApproveServer(server, shown.Hash); !errors.Is(err, quarantine.ErrMoved) {
		t.Errorf("listing moved: %v, want ErrMoved", err)
	}
	shown = b.page(cmdA)
	_ = b.launch(cmdB, false)
	if _, err := b.gate.ApproveServer(server, shown.Hash); !errors.Is(err, quarantine.ErrMoved) {
		t.Errorf("identity moved: %v, want ErrMoved", err)
	}
	if err := b.gate.Inspected(server, cmdA, nil); !errors.Is(err, quarantine.ErrMoved) {
		t.Errorf("inspection of what is no longer in force: %v, want ErrMoved", err)
	}
	b.wantHeld(b.launch(cmdA, false))
}

func TestGate_Approve_OnlyWhatWaits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	x, evil := mk("x", "1"), mk("x", "evil")
	b.wantHeld(b.gate.Approve(x.ID, x.Hash()))
	if err := b.launch(cmdA, true); err != nil {
		t.Fatal(err)
	}
	b.want(b.admit(x), "x")
	b.want(b.admit(evil), "x:changed")
	if err := b.gate.Approve(x.ID, mk("x", "other").Hash()); !errors.Is(err, quarantine.ErrMoved) {
		t.Errorf("Approve(other) = %v, want ErrMoved", err)
	}
	sub := b.gate.Changes().Subscribe()
	defer sub.Close()
	if err := b.gate.Approve(x.ID, evil.Hash()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if name, err := sub.Next(ctx); err != nil || name != server {
		t.Errorf("Next = %q, %v", name, err)
	}
	b.want(b.admit(evil), "x")
	b.want(b.admit(x), "x:changed")
}

func TestGate_Check_HeldBeforeLaunchWasTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.want(b.admit(mk("x", "1")), "x")
	b.reopen()
	x := mk("x", "1")
	b.wantHeld(b.gate.Check(x.ID, x.Hash()), "not configured")
	_ = b.launch(cmdA, false)
	if err := b.gate.Check(x.ID, x.Hash()); err != nil {
		t.Errorf("Check after Launch = %v", err)
	}
	b.wantHeld(b.gate.Check(x.ID, tool.Hash{}))
	b.wantHeld(b.gate.Check(tool.ID{Server: server, Name: "none"}, tool.Hash{}), "nobody has approved it")
	b.wantHeld(b.gate.Check(tool.ID{Server: "none", Name: "x"}, x.Hash()))
}

func TestGate_Admit_HeldSurvivesRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.launch(cmdA, true)
	b.admit(mk("x", "1"))
	b.admit(mk("x", "evil"), mk("new", "<b>\u202e"))
	b.reopen()
	_ = b.launch(cmdA, true)
	x := mk("x", "1")
	b.wantHeld(b.gate.Check(x.ID, x.Hash()), "changed")
	page := b.page(cmdA)
	if len(page.Tools) != 2 || string(page.Tools[0].Tool.Raw) != string(mk("new", "<b>\u202e").Raw) {
		t.Errorf("page = %+v", page)
	}
	if w := b.gate.Waiting(); len(w) != 1 || w[0].Hash != page.Hash {
		t.Errorf("Waiting = %+v", w)
	}
}

func BenchmarkGate_Check(b *testing.B) {
	bn := newBench(b)
	if err := bn.launch(cmdA, true); err != nil {
		b.Fatal(err)
	}
	var tools []tool.Tool
	for i := range 1000 {
		tools = append(tools, mk(fmt.Sprintf("tool_%d", i), "d"))
	}
	if _, _, err := bn.gate.Admit(b.Context(), server, tools); err != nil {
		b.Fatal(err)
	}
	id, h := tools[500].ID, tools[500].Hash()
	b.ReportAllocs()
	for b.Loop() {
		if err := bn.gate.Check(id, h); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGate_Admit_Unchanged(b *testing.B) {
	bn := newBench(b)
	_ = bn.launch(cmdA, true)
	var tools []tool.Tool
	for i := range 1000 {
		tools = append(tools, mk(fmt.Sprintf("tool_%d", i), "d"))
	}
	for b.Loop() {
		if _, _, err := bn.gate.Admit(b.Context(), server, tools); err != nil {
			b.Fatal(err)
		}
	}
}

// The image behind a name is pinned when it is first known, and another one
// holds the server; not knowing it is no difference.
func TestGate_Launch_ImageID(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	launch := func(id string) error {
		return b.gate.Launch("s", quarantine.Launch{Transport: "stdio", Command: "npx", Isolation: "docker image node:20", ImageID: id}, true)
	}
	for _, step := range []struct {
		id   string
		held string
	}{
		{"", ""},
		{"sha256:aaaa", ""}, // first known
		{"sha256:bbbb", `the image of that name was "aaaa", now "bbbb"`},
		{"", ""},
		{"sha256:aaaa", ""},
	} {
		err := launch(step.id)
		if (err == nil) != (step.held == "") || err != nil && !strings.Contains(err.Error(), step.held) {
			t.Errorf("Launch with image %q = %v, want %q", step.id, err, step.held)
		}
	}
}

// The issuer of a login is pinned when it is first known, beside the image, and
// another one holds the server.
func TestGate_Launch_Issuer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, step := range []struct{ issuer, held string }{
		{"", ""},
		{"https://as.example", ""}, // first known
		{"https://evil.example", `its login was from "https://as.example", now from "https://evil.example"`},
		{"", ""}, // logged out
		{"https://evil.example", "evil.example"},
		{"https://as.example", ""},
	} {
		err := b.gate.Launch("s", quarantine.Launch{Transport: "http", URL: "https://mcp.example/mcp", Issuer: step.issuer}, true)
		if (err == nil) != (step.held == "") || err != nil && !strings.Contains(err.Error(), step.held) {
			t.Errorf("Launch with issuer %q = %v, want %q", step.issuer, err, step.held)
		}
	}
}
