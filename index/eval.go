package index

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"mcpproxy/embed"
	"mcpproxy/internal/tool"
)

// evalDepth is how many hits a query is judged by.
const evalDepth = 100

// EvalOptions choose what [Evaluate] measures.
type EvalOptions struct {
	Mode     Mode                  // empty means Hybrid; that is BM25 without an embedder
	Embedder embed.Embedder        // nil: BM25 only
	Progress func(done, total int) // of the queries; may be nil
}

// Metrics are means over queries. Recall at k is the share of a query's groups
// (of its relevant tools, where it has no groups) with a tool among the first k
// hits; NDCG counts each group once, where it is first found; MRR looks at the
// first relevant tool among 100 hits.
type Metrics struct {
	Mode      Mode    `json:"mode"`
	Tools     int     `json:"tools"`
	Queries   int     `json:"queries"`
	Recall1   float64 `json:"recall@1"`
	Recall3   float64 `json:"recall@3"`
	Recall5   float64 `json:"recall@5"`
	Recall10  float64 `json:"recall@10"`
	NDCG10    float64 `json:"ndcg@10"`
	MRR       float64 `json:"mrr"`
	LatencyMS Latency `json:"latency_ms"`
}

// Latency is of searches, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Report is what [Evaluate] found, over all queries and for each value of their
// "set".
type Report struct {
	Metrics
	Sets map[string]Metrics `json:"sets"`
}

// Evaluate indexes the tools of set in memory and searches for its queries. It
// returns [ErrNoEmbedder] for mode Vector without an embedder.
func Evaluate(ctx context.Context, set Set, opt EvalOptions) (Report, error) {
	if opt.Mode == "" {
		opt.Mode = Hybrid
	}
	if opt.Embedder == nil && opt.Mode == Vector {
		return Report{}, fmt.Errorf("evaluate: %w", ErrNoEmbedder)
	}
	if opt.Embedder == nil && opt.Mode == Hybrid {
		opt.Mode = BM25 // as Search does; the report says so
	}
	x, numbers, err := openSet(ctx, set, opt)
	if err != nil {
		return Report{}, fmt.Errorf("evaluate: %w", err)
	}
	defer func() { _ = x.Close() }()
	total := tally{}
	sets := make(map[string]*tally)
	for i, q := range set.queries {
		start := time.Now()
		hits, err := x.find(ctx, Query{Text: q.text, Limit: evalDepth, Mode: opt.Mode}, false)
		took := time.Since(start)
		if err != nil {
			return Report{}, fmt.Errorf("evaluate: %w", err)
		}
		m := judge(q.groups, hits, numbers)
		if sets[q.set] == nil {
			sets[q.set] = &tally{}
		}
		total.add(m, took)
		sets[q.set].add(m, took)
		if opt.Progress != nil {
			opt.Progress(i+1, len(set.queries))
		}
	}
	report := Report{Metrics: total.mean(opt.Mode, len(set.tools)), Sets: make(map[string]Metrics, len(sets))}
	for name, t := range sets {
		report.Sets[name] = t.mean(opt.Mode, len(set.tools))
	}
	return report, nil
}

// openSet indexes the tools of set and waits for their vectors, if mode needs
// them. numbers gives a tool's place in the set by its id in the index.
func openSet(ctx context.Context, set Set, opt EvalOptions) (x *Index, numbers map[tool.ID]int, err error) {
	options := Options{Embedder: opt.Embedder}
	if opt.Mode == BM25 {
		options.Embedder = nil
	}
	if x, err = Open(nil, options); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.Close())
		}
	}()
	numbers = make(map[tool.ID]int, len(set.tools))
	servers := make(map[string][]tool.Tool)
	for n, t := range set.tools {
		for taken := true; taken; {
			if _, taken = numbers[t.ID]; taken {
				t.ID.Name += "~" // two tools of one name; the mark is no word
			}
		}
		numbers[t.ID] = n
		servers[t.ID.Server] = append(servers[t.ID.Server], t.Tool)
	}
	for server, tools := range servers {
		if _, err = x.Replace(ctx, server, tools); err != nil {
			return nil, nil, err
		}
	}
	return x, numbers, x.WaitVectors(ctx)
}

type tally struct {
	sum   Metrics
	times []time.Duration
}

func (t *tally) add(m Metrics, took time.Duration) {
	t.times = append(t.times, took)
	t.sum.Queries++
	t.sum.Recall1 += m.Recall1
	t.sum.Recall3 += m.Recall3
	t.sum.Recall5 += m.Recall5
	t.sum.Recall10 += m.Recall10
	t.sum.NDCG10 += m.NDCG10
	t.sum.MRR += m.MRR
}

// mean returns the means, rounded to what is worth reading.
func (t *tally) mean(mode Mode, tools int) Metrics {
	n := float64(max(t.sum.Queries, 1))
	round := func(sum float64) float64 { return math.Round(sum/n*1e4) / 1e4 }
	slices.Sort(t.times)
	return Metrics{
		Mode: mode, Tools: tools, Queries: t.sum.Queries,
		Recall1: round(t.sum.Recall1), Recall3: round(t.sum.Recall3), Recall5: round(t.sum.Recall5), Recall10: round(t.sum.Recall10),
		NDCG10: round(t.sum.NDCG10), MRR: round(t.sum.MRR),
		LatencyMS: Latency{P50: quantile(t.times, .5), P95: quantile(t.times, .95)},
	}
}

// quantile returns the value at q of sorted times, in milliseconds.
func quantile(times []time.Duration, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	at := min(int(q*float64(len(times))), len(times)-1)
	return math.Round(times[at].Seconds()*1e6) / 1e3
}

// judge measures one answer.
func judge(groups [][]int, hits []Hit, numbers map[tool.ID]int) Metrics {
	var m Metrics
	found := make([]bool, len(groups))   // for recall: a tool may answer several groups
	counted := make([]bool, len(groups)) // for NDCG: each hit gains once
	gain := 0.0
	for rank, hit := range hits {
		gained := rank >= 10
		for g, group := range groups {
			if !slices.Contains(group, numbers[hit.Tool.ID]) {
				continue
			}
			if m.MRR == 0 {
				m.MRR = 1 / float64(rank+1)
			}
			if !found[g] {
				found[g] = true
				m.count(rank, 1/float64(len(groups)))
			}
			if !gained && !counted[g] {
				gained, counted[g] = true, true
				gain += discount(rank)
			}
		}
	}
	ideal := 0.0
	for rank := range min(len(groups), 10) {
		ideal += discount(rank)
	}
	m.NDCG10 = gain / ideal
	return m
}

func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+2) }

// count adds share to the recalls that reach down to rank.
func (m *Metrics) count(rank int, share float64) {
	for _, r := range []struct {
		k   int
		sum *float64
	}{{1, &m.Recall1}, {3, &m.Recall3}, {5, &m.Recall5}, {10, &m.Recall10}} {
		if rank < r.k {
			*r.sum += share
		}
	}
}
