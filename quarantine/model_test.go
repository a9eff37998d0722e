package quarantine_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// model says what the gate must do, in the simplest way that is right: bytes
// instead of hashes, nothing incremental, nothing on disk.
type model struct {
	told     bool
	inForce  int            // index into identities
	approved int            // -1: none
	first    int            // -1: the name was never seen
	trust    string         // open, listing, over
	others   string         // the same for what is no tool: empty, listing, over
	pins     map[string]int // variant by name; see itemNames
	held     map[string]int
	reverts  map[string]int  // how often a tool came back since it was approved
	blocked  map[string]bool // "" is the server
	listing  map[string]int  // of an inspection; nil: none
	listedBy int             // the identity inspected
	policy   quarantine.Policy
}

var identities = []quarantine.Launch{cmdA, cmdB}

func newModel() *model {
	return &model{approved: -1, first: -1, trust: "open", pins: map[string]int{}, reverts: map[string]int{}, blocked: map[string]bool{}}
}

func (m *model) serves() bool { return m.told && m.approved == m.inForce && !m.blocked[""] }

func (m *model) see(identity int, trusted bool) {
	if m.first < 0 {
		m.first = identity
	}
	if m.trust != "open" || m.approved >= 0 {
		return
	}
	switch {
	case m.first != identity:
		m.trust = "over"
	case trusted:
		m.approved, m.trust, m.others = identity, "listing", "listing"
		if m.listing != nil && m.listedBy == identity {
			m.pins, m.listing, m.trust, m.others = m.listing, nil, "over", "over"
		}
	}
}

// admit returns the names that must be admitted of a listing of tools, or of
// everything else.
func (m *model) admit(list map[string]int, tools bool) []string {
	if !m.serves() {
		return nil
	}
	trust := &m.trust
	if !tools {
		trust = &m.others
	}
	if *trust == "listing" {
		maps.Copy(m.pins, list)
		*trust = "over"
	}
	before := m.held
	m.held = map[string]int{}
	for name, v := range before { // the approved one that went back and forth waits on
		if pinned, ok := m.pins[name]; isTool(name) != tools || ok && pinned == v {
			m.held[name] = v
		}
	}
	var names []string
	for name, variant := range list {
		pinned, ok := m.pins[name]
		waits, waiting := before[name]
		if m.passes(name) && (!ok || pinned != variant || waiting) {
			m.pins[name], m.reverts[name] = variant, 0
			delete(m.held, name)
			pinned, ok, waiting = variant, true, false
		}
		switch {
		case !ok || pinned != variant:
			m.held[name] = variant
			continue
		case waiting && waits != pinned:
			if m.reverts[name]++; m.reverts[name] > 1 {
				m.held[name] = variant
			}
		}
		if _, waits := m.held[name]; !waits && !m.blocked[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// passes reports whether the policy approves a listed text that no person did.
// Versions differ in words, so the policy about hints passes none.
func (m *model) passes(name string) bool {
	_, pinned := m.pins[name]
	return m.policy == quarantine.PolicyAll || m.policy == quarantine.PolicyNewTools && isTool(name) && !pinned
}

// wave approves the identity in force where the policy passes everything.
func (m *model) wave() {
	if m.policy == quarantine.PolicyAll && !m.blocked[""] && m.approved != m.inForce {
		m.approved, m.trust = m.inForce, "over"
	}
}

func (m *model) page() (tools map[string]int, inspected bool) {
	if m.serves() {
		return m.held, true
	}
	if m.listing != nil && m.listedBy == m.inForce {
		return m.listing, true
	}
	return nil, false
}

func (m *model) approve() {
	tools, _ := m.page()
	if !m.serves() {
		m.approved, m.trust, m.others = m.inForce, "over", ""
		m.pins, m.listing, m.reverts = map[string]int{}, nil, map[string]int{}
	}
	for name := range tools {
		m.reverts[name] = 0
	}
	maps.Copy(m.pins, tools)
	m.held = nil
}

func (m *model) forget() {
	if m.first >= 0 {
		*m = model{approved: -1, first: m.first, trust: "over", pins: map[string]int{}, reverts: map[string]int{}, blocked: m.blocked, policy: m.policy}
	}
}

// itemNames are what a server lists: tools, and one name of every other kind, some
// of them as tools are called.
var (
	toolNames  = []string{"x", "y", "z"}
	otherNames = []string{"prompt/x", "prompt/z", "resource/x", "template/x", "instructions"}
	itemNames  = slices.Concat(toolNames, otherNames)
)

func isTool(name string) bool { return slices.Contains(toolNames, name) }

// variant is what is called name in one of its versions, which differ in one byte.
func variant(name string, v int) tool.Tool {
	text := fmt.Sprintf("version %d", v)
	if isTool(name) {
		return mk(name, text)
	}
	id := tool.ParseTarget(server + ":" + name)
	return other(id.Kind, id.Name, text)
}

func drawListing(t *rapid.T, names []string) map[string]int {
	return rapid.MapOf(rapid.SampledFrom(names), rapid.IntRange(0, 2)).Draw(t, "listing")
}

func toolsOf(t *rapid.T, list map[string]int) []tool.Tool {
	names := rapid.Permutation(slices.Sorted(maps.Keys(list))).Draw(t, "order")
	var tools []tool.Tool
	for _, name := range names {
		tools = append(tools, variant(name, list[name]))
	}
	return tools
}

func TestGate_AgreesWithModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t)
		defer func() { _ = b.db.Close() }()
		m := newModel()
		var stale []tool.Hash // pages shown earlier
		r.Repeat(map[string]func(*rapid.T){
			"launch": func(r *rapid.T) {
				i, trusted := rapid.IntRange(0, 1).Draw(r, "identity"), rapid.Bool().Draw(r, "trusted")
				m.told, m.inForce = true, i
				m.see(i, trusted)
				m.wave()
				if err := b.launch(identities[i], trusted); (err == nil) != m.serves() {
					r.Fatalf("Launch = %v, want serving %v", err, m.serves())
				}
			},
			"list":        func(r *rapid.T) { modelList(r, b, m, true) },
			"list others": func(r *rapid.T) { modelList(r, b, m, false) },
			"inspect": func(r *rapid.T) {
				if !m.told || m.serves() || m.blocked[""] {
					r.Skip()
				}
				list := drawListing(r, itemNames)
				tools := toolsOf(r, list)
				slices.SortFunc(tools, func(a, b tool.Tool) int { return bytes.Compare(a.Raw, b.Raw) })
				if err := b.gate.Inspected(server, identities[m.inForce], tools); err != nil {
					r.Fatal(err)
				}
				m.see(m.inForce, false)
				if m.trust == "open" && m.listing != nil && m.listedBy == m.inForce && !maps.Equal(m.listing, list) {
					m.trust = "over"
				}
				m.listing, m.listedBy = list, m.inForce
			},
			"approve": func(r *rapid.T) {
				if !m.told {
					r.Skip()
				}
				page, err := b.gate.Page(server, identities[m.inForce])
				if err != nil {
					r.Fatal(err)
				}
				tools, inspected := m.page()
				if len(page.Tools) != len(tools) || page.Inspected != inspected {
					r.Fatalf("page = %+v, want %v", page, tools)
				}
				for _, p := range page.Tools {
					name := nameIn(p.Tool.ID)
					if v, ok := tools[name]; !ok || !bytes.Equal(p.Tool.Raw, variant(name, v).Raw) {
						r.Fatalf("page shows %s", p.Tool.Raw)
					}
				}
				stale = append(stale, page.Hash)
				if !rapid.Bool().Draw(r, "now") {
					return
				}
				inspected = inspected && !m.blocked[""]
				if _, err := b.gate.ApproveServer(server, page.Hash); (err == nil) != inspected {
					r.Fatalf("ApproveServer = %v, inspected %v", err, inspected)
				}
				if inspected {
					m.approve()
				}
			},
			"approve an older page": func(r *rapid.T) {
				if !m.told || len(stale) == 0 {
					r.Skip()
				}
				hash := rapid.SampledFrom(stale).Draw(r, "page")
				page, err := b.gate.Page(server, identities[m.inForce])
				if err != nil {
					r.Fatal(err)
				}
				_, err = b.gate.ApproveServer(server, hash)
				if want := hash == page.Hash && page.Inspected && !m.blocked[""]; (err == nil) != want {
					r.Fatalf("ApproveServer = %v, want success %v", err, want)
				}
				if hash != page.Hash && !errors.Is(err, quarantine.ErrMoved) {
					r.Fatalf("ApproveServer = %v, want ErrMoved", err)
				}
				if err == nil {
					m.approve()
				}
			},
			"approve one item": func(r *rapid.T) {
				name, v := rapid.SampledFrom(itemNames).Draw(r, "name"), rapid.IntRange(0, 2).Draw(r, "version")
				tl := variant(name, v)
				err := b.gate.Approve(tl.ID, tl.Hash())
				held, waits := m.held[name]
				pinned, known := m.pins[name]
				want := m.serves() && !m.blocked[name] && (waits && held == v || !waits && known && pinned == v)
				if (err == nil) != want {
					r.Fatalf("Approve(%s %d) = %v, want success %v", name, v, err, want)
				}
				if want {
					if waits {
						m.reverts[name] = 0
					}
					m.pins[name] = v
					delete(m.held, name)
				}
			},
			"block or unblock": func(r *rapid.T) {
				name, block := rapid.SampledFrom([]string{"", "x", "y", "prompt/x", "instructions"}).Draw(r, "name"), rapid.Bool().Draw(r, "block")
				act := b.gate.Unblock
				if block {
					act = b.gate.Block
				}
				if err := act(tool.ParseTarget(server + ":" + name)); err != nil {
					r.Fatal(err)
				}
				m.blocked[name] = block
			},
			"forget": func(r *rapid.T) {
				if err := b.gate.Forget(server); err != nil {
					r.Fatal(err)
				}
				m.forget()
			},
			"restart": func(*rapid.T) { b.reopen(); b.policy(m.policy); m.told = false },
			"crash":   func(*rapid.T) { b.crash(); b.policy(m.policy); m.told = false },
			"policy": func(r *rapid.T) {
				m.policy = rapid.SampledFrom([]quarantine.Policy{quarantine.PolicyNone, quarantine.PolicyNewTools, quarantine.PolicyAnnotations, quarantine.PolicyAll}).Draw(r, "policy")
				b.policy(m.policy)
			},
			"": func(r *rapid.T) { modelCheck(r, b, m) },
		})
	})
}

// nameIn is what the model calls a definition.
func nameIn(id tool.ID) string { return strings.TrimPrefix(id.String(), server+":") }

func modelList(r *rapid.T, b *bench, m *model, tools bool) {
	names, admit := toolNames, b.gate.Admit
	if !tools {
		names, admit = otherNames, b.gate.AdmitOthers
	}
	list := drawListing(r, names)
	admitted, held, err := admit(b.t.Context(), server, toolsOf(r, list))
	if err != nil {
		r.Fatal(err)
	}
	var got []string
	for _, t := range admitted {
		got = append(got, nameIn(t.ID))
	}
	slices.Sort(got)
	if want := m.admit(list, tools); !slices.Equal(got, want) || len(held) != len(list)-len(want) {
		r.Fatalf("Admit(%v) = %v and %d held, want %v", list, got, len(held), want)
	}
}

// modelCheck asks Check about every item in every version.
func modelCheck(r *rapid.T, b *bench, m *model) {
	for _, name := range itemNames {
		for v := range 3 {
			t := variant(name, v)
			err := b.gate.Check(t.ID, t.Hash())
			pinned, known := m.pins[name]
			_, waits := m.held[name]
			want := m.serves() && known && pinned == v && !waits && !m.blocked[name]
			if (err == nil) != want || (err != nil && !errors.Is(err, quarantine.ErrHeld)) {
				r.Fatalf("Check(%s version %d) = %v, want nil: %v", name, v, err, want)
			}
		}
	}
}

func (b *bench) policy(p quarantine.Policy) {
	b.gate.SetPolicies(map[string]quarantine.Policy{server: p})
}

// crash goes on with the file as it is now on disk, as after a kill.
func (b *bench) crash() {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "mcpproxy.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	_ = b.db.Close()
	if b.dir, err = os.MkdirTemp(b.t.TempDir(), ""); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "mcpproxy.db"), data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}
