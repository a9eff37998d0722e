package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcpproxy/embed"
)

// TestFit_Calibration prints what thresholds of the fit let through: in scope are
// requests for a tool of a catalogue of 300, out of scope are those for tools that
// it does not have, and a list that no tool can serve.
func TestFit_Calibration(t *testing.T) {
	path := os.Getenv("MCPPROXY_PROOF")
	if path == "" {
		t.Skip("takes a minute: make bench-retrieval")
	}
	developmentSets(t) // skips without the data
	written := filepath.Join("..", "..", "shared", "data", "train", "written.jsonl.gz")
	e := bundledModel(t)
	train := readWritten(t, written, func(pid string) bool { return !heldOut(pid) })
	held := readWritten(t, written, heldOut)
	out := "| least fit | said unfit, a tool serves: training | held out | said fit, none serves: other tools' requests | out_of_scope.txt |\n|---|---|---|---|---|\n"
	served, others, none := fits(t, train, e, 4)
	servedHeld, _, _ := fits(t, held, e, 2)
	for _, least := range []float64{.2, .25, .3, .35, .4, .45, .5} {
		out += fmt.Sprintf("| %.2f | %.3f | %.3f | %.3f | %.3f |\n", least, below(served, least), below(servedHeld, least), 1-below(others, least), 1-below(none, least))
	}
	t.Logf("\n%s", out)
	if err := os.WriteFile(path+".fit", []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

func below(fits []float64, least float64) float64 {
	n := 0
	for _, f := range fits {
		if f < least {
			n++
		}
	}
	return float64(n) / float64(max(len(fits), 1))
}

// fits returns the best fit among the first five hits of requests that are in
// scope, and of two kinds out of scope, over several random catalogues.
func fits(t *testing.T, set Set, e embed.Embedder, catalogues int) (served, others, none []float64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "out_of_scope.txt"))
	if err != nil {
		t.Fatal(err)
	}
	wanted := make(map[int]bool)
	for _, q := range set.queries {
		wanted[q.groups[0][0]] = true
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range catalogues {
		picks := make(map[int]bool)
		some := Set{}
		for _, n := range r.Perm(len(set.tools)) {
			if wanted[n] && len(picks) < 300 {
				picks[n] = true
				some.tools = append(some.tools, set.tools[n])
			}
		}
		x, _, err := openSet(t.Context(), some, EvalOptions{Embedder: e})
		if err != nil {
			t.Fatal(err)
		}
		best := func(query string) float64 {
			hits, err := x.Search(t.Context(), Query{Text: query})
			if err != nil {
				t.Fatal(err)
			}
			found := 0.0
			for _, h := range hits {
				found = max(found, h.Explain.Fit)
			}
			return found
		}
		for i, q := range set.queries {
			switch {
			case picks[q.groups[0][0]]:
				served = append(served, best(q.text))
			case i%16 == 0:
				others = append(others, best(q.text))
			}
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				none = append(none, best(strings.TrimSpace(line)))
			}
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return served, others, none
}

func TestUnfit(t *testing.T) {
	t.Parallel()
	hit := func(fit, cosine float64) Hit {
		return Hit{Explain: Explain{Fit: fit, Vector: Arm{Score: cosine}}}
	}
	for _, c := range []struct {
		name string
		hits []Hit
		want bool
	}{
		{"none", nil, false},
		{"one fits", []Hit{hit(.2, .2), hit(.9, .8)}, false},
		{"none fits", []Hit{hit(.2, .2), hit(.1, .1)}, true},
		{"unknown without vectors", []Hit{hit(0, 0), hit(.1, .1)}, false},
	} {
		if got := Unfit(slices.Clone(c.hits)); got != c.want {
			t.Errorf("%s: Unfit = %v", c.name, got)
		}
	}
}
