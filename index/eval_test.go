package index

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/embed/embedtest"
	"mcpproxy/internal/tool"
)

const evalTools = `{"id":"t1","server":"a","name":"create_issue","description":"Create an issue","input_schema":null}

{"id":"t2","name":"send_mail","description":null}
{"id":"t3","server":"a","name":"create_issue","description":"Create an issue, again"}
`

func readSet(t *testing.T, tools, queries string) (Set, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"tools.jsonl": tools, "queries.jsonl": queries} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ReadSet(filepath.Join(dir, "tools.jsonl"), filepath.Join(dir, "queries.jsonl"))
}

func TestEvaluate_Report(t *testing.T) {
	t.Parallel()
	set, err := readSet(t, evalTools, `{"id":"q1","query":"send mail","relevant":["t2"],"set":"x"}
{"id":"q2","query":"create issue","relevant":["t1","t3"],"groups":[["t3","t1"]],"set":"y"}
{"id":"q3","query":"nothing of this","relevant":["t1"],"set":"y"}
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, opt := range []EvalOptions{{Mode: BM25}, {Mode: Hybrid, Embedder: embedtest.Hash{}}, {Mode: Vector, Embedder: embedtest.Hash{}}} {
		r, err := Evaluate(t.Context(), set, opt)
		if err != nil {
			t.Fatal(err)
		}
		if r.Mode != opt.Mode || r.Tools != 3 || r.Queries != 3 || r.Sets["x"].Recall1 != 1 || r.Sets["y"].Queries != 2 {
			t.Errorf("%s: report %+v", opt.Mode, r)
		}
		if opt.Mode == BM25 && math.Abs(r.Recall5-2./3) > 1e-3 {
			t.Errorf("recall@5 %v, want 2/3", r.Recall5)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		want := "latency_ms mode mrr ndcg@10 queries recall@1 recall@10 recall@3 recall@5 sets tools"
		if got := strings.Join(slices.Sorted(maps.Keys(fields)), " "); got != want {
			t.Errorf("keys %q, want %q", got, want)
		}
	}
	if _, err := Evaluate(t.Context(), set, EvalOptions{Mode: Vector}); !errors.Is(err, ErrNoEmbedder) {
		t.Errorf("vector mode without an embedder: %v", err)
	}
}

func TestReadSet_NamesTheBadRow(t *testing.T) {
	t.Parallel()
	good := `{"query":"q","relevant":["t1"]}`
	for _, c := range []struct{ name, tools, queries, want string }{
		{"tool is no JSON", "{\n", good, "tools.jsonl:1:"},
		{"tool without a name", evalTools + `{"id":"x"}`, good, "tools.jsonl:5:"},
		{"tool twice", evalTools + `{"id":"t1","name":"n"}`, good, "tools.jsonl:5:"},
		{"query is no JSON", evalTools, good + "\n[]\n", "queries.jsonl:2:"},
		{"query without an answer", evalTools, `{"query":"q"}`, "queries.jsonl:1:"},
		{"unknown tool", evalTools, `{"query":"q","relevant":["t9"]}`, "queries.jsonl:1:"},
		{"empty group", evalTools, `{"query":"q","groups":[[]]}`, "queries.jsonl:1:"},
		{"no queries", evalTools, "\n", "0 queries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readSet(t, c.tools, c.queries)
			if !errors.Is(err, ErrBadSet) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that names %s", err, c.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	hits := make([]Hit, 6)
	numbers := make(map[tool.ID]int)
	for i := range hits {
		hits[i].Tool.ID = tool.ID{Server: "s", Name: string(rune('a' + i))}
		numbers[hits[i].Tool.ID] = i
	}
	// the first group is met by the second and third hit, the second by the sixth
	m := judge([][]int{{1, 2}, {5}}, hits, numbers)
	wantNDCG := (1/math.Log2(3) + 1/math.Log2(7)) / (1 + 1/math.Log2(3))
	if m.Recall1 != 0 || m.Recall3 != .5 || m.Recall5 != .5 || m.Recall10 != 1 || m.MRR != .5 || math.Abs(m.NDCG10-wantNDCG) > 1e-9 {
		t.Errorf("judge = %+v, want NDCG %v", m, wantNDCG)
	}
}

func FuzzDecodeSet(f *testing.F) {
	f.Add([]byte(`{"id":"a","name":"b","query":"q","relevant":["a"],"groups":[["a"]]}`))
	f.Fuzz(func(_ *testing.T, row []byte) {
		_, _ = decodeSetTool(row)
		_, _ = decodeSetQuery(row, map[string]int{"a": 0})
	})
}
