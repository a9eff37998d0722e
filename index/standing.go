package index

import (
	"context"

	"mcpproxy/internal/tool"
)

// Standing is where one tool stands for a query, however far down.
type Standing struct {
	Known   bool    `json:"known"` // the index has the tool
	Rank    int     `json:"rank"`  // among all tools; 0: neither arm found it
	Of      int     `json:"of"`    // tools that were ranked
	Score   float64 `json:"score"`
	Explain Explain `json:"explain"`
}

// Standing answers why a tool is not among the hits of q: its place in the whole
// ranking, whatever q.Limit is, and in that of each arm. It reads every tool's
// explanation, so it is for people, not for agents.
func (x *Index) Standing(ctx context.Context, q Query, id tool.ID) (Standing, error) {
	snap := x.snap.Load()
	s := Standing{}
	_, s.Known = snap.doc(id)
	q.Limit = max(snap.count, 1)
	hits, err := x.Search(ctx, q)
	if err != nil {
		return s, err
	}
	s.Of = len(hits)
	for i, h := range hits {
		if h.Tool.ID == id {
			s.Rank, s.Score, s.Explain = i+1, h.Score, h.Explain
			break
		}
	}
	return s, nil
}
