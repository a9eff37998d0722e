package scan

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/tool"
)

// row is one definition of the corpus.
type row struct {
	ID, Name, Description, Source, Technique, Server string
	InputSchema                                      json.RawMessage `json:"input_schema"`
	HardNegative                                     bool            `json:"hard_negative"`
	TextDetectable                                   *bool           `json:"text_detectable"`

	fromText bool // of the training text
}

// unseen are the sources whose rows no rule or weight was made from, and nobody
// read: a quarter of the attacks, some 600 honest tools, and an author.
var unseen = []string{"dongsenzhang/MSB", "Agent-Threat-Rule/", "harishsg993010/", "AIS2Lab/", "IBM/mcp-context-forge",
	"mcp-real/rohitg00+kubectl-mcp-server", "mcp-real/docker-mcp-registry", "mcp-real/sooperset+mcp-atlassian", "author-i"}

func (r row) heldOut() bool {
	for _, source := range unseen {
		if strings.HasPrefix(strings.TrimPrefix(r.Source, "derived from "), source) {
			return true
		}
	}
	return false
}

func (r row) tool(t testing.TB) tool.Tool {
	t.Helper()
	schema := r.InputSchema
	if len(schema) == 0 || string(schema) == "null" {
		schema = json.RawMessage(`{"type":"object"}`)
	}
	name := r.Name
	if name == "" {
		name = "unnamed"
	}
	raw, err := json.Marshal(map[string]any{"name": name, "description": r.Description, "inputSchema": schema})
	if err != nil {
		t.Fatal(err)
	}
	one, err := tool.Decode("corpus", raw)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func corpus(t testing.TB, name string) []row { return shared[row](t, "poison", name) }

// shared reads JSON lines of the shared data, gzipped where the name says so; without
// them the test is skipped.
func shared[T any](t testing.TB, place ...string) (list []T) {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "data"}, place...)...)
	file, err := os.Open(path)
	if err != nil {
		t.Skipf("no shared data: %v", err)
	}
	defer file.Close()
	var text io.Reader = file
	if filepath.Ext(path) == ".gz" {
		if text, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	for lines := json.NewDecoder(bufio.NewReader(text)); ; {
		var one T
		switch err := lines.Decode(&one); err {
		case nil:
			list = append(list, one)
		case io.EOF:
			return list
		default:
			t.Fatalf("%s: %v", path, err)
		}
	}
}

// rate is a share with its Wilson interval of 95 %.
type rate struct{ hits, of int }

func (r rate) share() float64 { return float64(r.hits) / float64(max(r.of, 1)) }

func (r rate) String() string {
	const z = 1.96
	n, p := float64(max(r.of, 1)), r.share()
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / (1 + z*z/n)
	return fmt.Sprintf("%d of %d, %.1f %% [%.1f, %.1f]", r.hits, r.of, 100*p, 100*max(mid-half, 0), 100*min(mid+half, 1))
}

func count(t *testing.T, rows []row, pick func(row) bool, hit func(Report) bool) (r rate) {
	t.Helper()
	show := os.Getenv("MCPPROXY_SCAN_SHOW")
	for _, row := range rows {
		if !pick(row) {
			continue
		}
		r.of++
		report := Tool(row.tool(t), nil)
		if hit(report) {
			r.hits++
		}
		if show != "" && !row.heldOut() && strings.Contains(show, fmt.Sprint(hit(report))) {
			t.Logf("%s %.2f %s|%s|%q|%+v", row.Technique, report.Score, row.ID, row.Name, row.Description[:min(300, len(row.Description))], brief(report))
		}
	}
	return r
}

func brief(r Report) (s []string) {
	for _, f := range r.Findings {
		s = append(s, fmt.Sprintf("%s(%.1f) %s: %s", f.Rule, f.Weight, f.Field, f.Text))
	}
	return s
}

func flagged(r Report) bool { return r.Verdict != Pass }
func blocked(r Report) bool { return r.Verdict == Block }

// TestCorpus holds the scanner to the figures of docs/security.md on both parts of
// the corpus, and prints them.
func TestCorpus(t *testing.T) {
	t.Parallel()
	attacks, benign, mutations, honest := corpus(t, "attacks.jsonl"), corpus(t, "benign.jsonl"), corpus(t, "mutations.jsonl"), corpus(t, "unicode_benign.jsonl")
	benign = append(benign, toolTexts(t, unseen)...)
	for _, part := range []struct {
		name         string
		held         bool
		recall, hard float64 // least recall, most false positives on hard negatives
	}{{"development", false, .86, .02}, {"held out by source", true, .77, .10}} {
		of := func(want func(row) bool) func(row) bool {
			return func(r row) bool { return r.heldOut() == part.held && want(r) }
		}
		text := of(func(r row) bool { return r.TextDetectable == nil || *r.TextDetectable })
		recall := count(t, attacks, text, flagged)
		quiet := count(t, attacks, of(func(r row) bool { return r.Technique != "overt_malicious_capability" }), flagged)
		ordinary := count(t, benign, of(func(r row) bool { return !r.HardNegative }), flagged)
		hard := count(t, benign, of(func(r row) bool { return r.HardNegative }), flagged)
		stopped := count(t, benign, of(func(row) bool { return true }), blocked)
		evasion := count(t, mutations, of(func(row) bool { return true }), flagged)
		t.Logf("%s\n  recall %s\n  without overt ones %s\n  mutations %s\n  ordinary false positives %s\n  hard negatives %s\n  honest tools blocked %s",
			part.name, recall, quiet, evasion, ordinary, hard, stopped)
		if recall.share() < part.recall || ordinary.share() > .01 || hard.share() > part.hard || stopped.hits > 0 || evasion.share() < .85 {
			t.Errorf("%s: worse than docs/security.md says", part.name)
		}
	}
	if r := count(t, honest, func(row) bool { return true }, blocked); r.hits > 0 {
		t.Errorf("honest Unicode blocked: %s", r)
	}
}

func BenchmarkTool(b *testing.B) {
	rows := corpus(b, "benign.jsonl")
	tools := make([]tool.Tool, len(rows))
	for i, r := range rows {
		tools[i] = r.tool(b)
	}
	b.ResetTimer()
	for i := range b.N {
		Tool(tools[i%len(tools)], nil)
	}
}
