package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// newTool makes a tool as an upstream would list it.
func newTool(t testing.TB, server, name, description string, params ...string) tool.Tool {
	t.Helper()
	properties := make(map[string]any)
	for _, p := range params {
		properties[p] = map[string]any{"type": "string"}
	}
	raw, err := json.Marshal(map[string]any{
		"name": name, "description": description,
		"inputSchema": map[string]any{"type": "object", "properties": properties},
	})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := tool.Decode(server, raw)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// counted is a bucket in a file that counts its writes and can refuse them.
type counted[V any] struct {
	store.Bucket[V]
	writes atomic.Int32
	refuse error
}

func (c *counted[V]) Update(put map[string]V, remove []string) error {
	if c.refuse != nil {
		return c.refuse
	}
	c.writes.Add(1)
	return c.Bucket.Update(put, remove)
}

func openDB(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func bucket[V any](t testing.TB, db *store.DB, name string) *counted[V] {
	t.Helper()
	b, err := store.OpenBucket[V](db, name)
	if err != nil {
		t.Fatal(err)
	}
	return &counted[V]{Bucket: b}
}

func open(t testing.TB, records Records[Entry], opt Options) *Index {
	t.Helper()
	x, err := Open(records, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func replace(t testing.TB, x *Index, server string, tools ...tool.Tool) Delta {
	t.Helper()
	d, err := x.Replace(t.Context(), server, tools)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ids returns the ids of the hits for text.
func ids(t testing.TB, x *Index, q Query) []string {
	t.Helper()
	hits, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("Search(%q): %v", q.Text, err)
	}
	out := make([]string, len(hits))
	for i, h := range hits {
		out[i] = h.Tool.ID.String()
		if h.Score <= 0 || h.Score > 1 || i > 0 && h.Score > hits[i-1].Score {
			t.Errorf("Search(%q): score %v of hit %d", q.Text, h.Score, i)
		}
	}
	return out
}

func TestIndex_Replace_Delta(t *testing.T) {
	t.Parallel()
	records := bucket[Entry](t, openDB(t), "tools")
	x := open(t, records, Options{})
	a, b := newTool(t, "s", "alpha", "first"), newTool(t, "s", "beta", "second")
	start := records.writes.Load()
	if got, want := replace(t, x, "s", a, b), (Delta{Added: 2}); got != want {
		t.Errorf("first listing: %+v, want %+v", got, want)
	}
	if got, want := replace(t, x, "s", b, a, a), (Delta{Kept: 2}); got != want {
		t.Errorf("same tools: %+v, want %+v", got, want)
	}
	if got := records.writes.Load() - start; got != 1 {
		t.Errorf("%d writes for one change", got)
	}
	changed := newTool(t, "s", "beta", "second, better")
	if got, want := replace(t, x, "s", changed, newTool(t, "s", "gamma", "third")), (Delta{Added: 1, Changed: 1, Removed: 1}); got != want {
		t.Errorf("changed listing: %+v, want %+v", got, want)
	}
	if got, found := x.Get(changed.ID); !found || got.Description != "second, better" {
		t.Errorf("Get(%v) = %q, %v", changed.ID, got.Description, found)
	}
	if _, found := x.Get(a.ID); found {
		t.Error("a removed tool is still there")
	}
	if err := x.Remove(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if got := x.Status().Tools; got != 0 {
		t.Errorf("%d tools after Remove", got)
	}
}

func TestIndex_Replace_KeyOrderIsNoChange(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{})
	one, _ := tool.Decode("s", json.RawMessage(`{"name":"a","description":"d"}`))
	two, _ := tool.Decode("s", json.RawMessage(`{ "description":"d", "name":"a"}`))
	replace(t, x, "s", one)
	if got := replace(t, x, "s", two); got.Kept != 1 {
		t.Errorf("another key order: %+v, want it kept", got)
	}
}

func TestIndex_Open_ServesTheCatalogue(t *testing.T) {
	t.Parallel()
	records := bucket[Entry](t, openDB(t), "tools")
	x := open(t, records, Options{})
	raw := json.RawMessage(`{"name":"create_issue", "x-big": 1152921504606846976, "description":"Create <an> issue"}`)
	issue, err := tool.Decode("github", raw)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, x, "github", issue)
	writes := records.writes.Load()
	again := open(t, records, Options{})
	if got := ids(t, again, Query{Text: "open an issue"}); len(got) != 1 || got[0] != "github:create_issue" {
		t.Errorf("after a restart Search = %v", got)
	}
	got, _ := again.Get(issue.ID)
	if string(got.Raw) != string(raw) {
		t.Errorf("after a restart Raw = %s, want %s", got.Raw, raw)
	}
	if d := replace(t, again, "github", issue); d.Kept != 1 || records.writes.Load() != writes {
		t.Errorf("the same listing after a restart: %+v, %d writes", d, records.writes.Load()-writes)
	}
	if r := again.Status().Rebuilt; r != "" {
		t.Errorf("Rebuilt = %q for a sound catalogue", r)
	}
}

func TestIndex_Open_RepairsTheCatalogue(t *testing.T) {
	t.Parallel()
	good, bad := newTool(t, "s", "good", "a sound record"), newTool(t, "s", "bad", "a damaged record")
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, db *store.DB, b *counted[Entry])
		tools  int
	}{
		{"older format", func(t *testing.T, _ *store.DB, b *counted[Entry]) {
			put(t, b.Bucket, metaKey, Entry{Meta: &Meta{Format: 0, Analyzer: analyzerVersion}})
		}, 2},
		{"older analyzer", func(t *testing.T, _ *store.DB, b *counted[Entry]) {
			put(t, b.Bucket, metaKey, Entry{Meta: &Meta{Format: Format, Analyzer: 0}})
		}, 2},
		{"no meta", func(t *testing.T, _ *store.DB, b *counted[Entry]) {
			if err := b.Delete(metaKey); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"wrong checksum", func(t *testing.T, _ *store.DB, b *counted[Entry]) {
			e := newEntry(bad)
			e.Raw = append([]byte(" "), e.Raw...)
			put(t, b.Bucket, "s:bad", e)
		}, 1},
		{"another's key", func(t *testing.T, _ *store.DB, b *counted[Entry]) { put(t, b.Bucket, "s:bad", newEntry(good)) }, 1},
		{"undecodable", func(t *testing.T, db *store.DB, _ *counted[Entry]) {
			text, err := store.OpenBucket[string](db, "tools")
			if err != nil {
				t.Fatal(err)
			}
			put(t, text, "s:bad", "not an entry")
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			records := bucket[Entry](t, db, "tools")
			replace(t, open(t, records, Options{}), "s", good, bad)
			c.damage(t, db, records)
			x := open(t, records, Options{})
			if s := x.Status(); s.Tools != c.tools || s.Rebuilt == "" {
				t.Errorf("Status = %+v, want %d tools and a reason", s, c.tools)
			}
			replace(t, x, "s", good, bad)
			if s := open(t, records, Options{}).Status(); s.Tools != 2 || s.Rebuilt != "" {
				t.Errorf("after the next listing Status = %+v", s)
			}
		})
	}
}

func put[V any](t *testing.T, b store.Bucket[V], key string, v V) {
	t.Helper()
	if err := b.Put(key, v); err != nil {
		t.Fatal(err)
	}
}

func TestIndex_Replace_WritesLaterWhatTheDiskRefused(t *testing.T) {
	t.Parallel()
	records := bucket[Entry](t, openDB(t), "tools")
	x := open(t, records, Options{})
	a, b := newTool(t, "s", "alpha", "first"), newTool(t, "s", "beta", "second")
	replace(t, x, "s", a)
	records.refuse = errors.New("disk full")
	if _, err := x.Replace(t.Context(), "s", []tool.Tool{b}); !errors.Is(err, records.refuse) {
		t.Fatalf("Replace = %v, want the disk's error", err)
	}
	if got := ids(t, x, Query{Text: "second"}); len(got) != 1 {
		t.Errorf("new tools do not serve: %v", got)
	}
	records.refuse = nil
	replace(t, x, "s", b)
	if got := fmt.Sprint(open(t, records, Options{}).Status().Servers, ids(t, x, Query{Text: "beta"})); got != "map[s:1] [s:beta]" {
		t.Errorf("after the disk recovered: %s", got)
	}
}

func TestIndex_Rebuild(t *testing.T) {
	t.Parallel()
	records := bucket[Entry](t, openDB(t), "tools")
	x := open(t, records, Options{})
	replace(t, x, "a", newTool(t, "a", "one", "first tool"), newTool(t, "a", "two", "second tool"))
	replace(t, x, "b", newTool(t, "b", "three", "third tool"))
	if err := records.Delete("a:one"); err != nil {
		t.Fatal(err)
	}
	var steps [][2]int
	if err := x.Rebuild(t.Context(), func(done, total int) { steps = append(steps, [2]int{done, total}) }); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(steps); got != "[[2 3] [3 3]]" {
		t.Errorf("progress %s", got)
	}
	if got := open(t, records, Options{}).Status().Tools; got != 3 {
		t.Errorf("%d tools in the rebuilt catalogue, want 3", got)
	}
}

func TestIndex_Closed(t *testing.T) {
	t.Parallel()
	x := open(t, nil, Options{})
	for range 2 {
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, searchErr := x.Search(t.Context(), Query{Text: "x"})
	_, replaceErr := x.Replace(t.Context(), "s", nil)
	rebuildErr := x.Rebuild(t.Context(), nil)
	for _, err := range []error{searchErr, replaceErr, rebuildErr} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("closed index: %v", err)
		}
	}
}
