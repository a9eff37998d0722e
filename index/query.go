package index

import "mcpproxy/internal/tool"

// Mode chooses the arms of a search.
type Mode string

// The modes. Hybrid falls back to BM25 while there are no vectors.
const (
	Hybrid Mode = "hybrid"
	BM25   Mode = "bm25"
	Vector Mode = "vector"
)

// Query is one search.
type Query struct {
	Text   string
	Limit  int    // most hits to return; 0 means 5
	Server string // only tools of this server; empty means all
	Mode   Mode   // empty means Hybrid
}

// Hit is one tool that a search found, best first.
type Hit struct {
	Tool    tool.Tool
	Score   float64 // comparable within one answer only, in (0, 1]
	Explain Explain
}

// Explain says why a hit stands where it stands.
type Explain struct {
	BM25   Arm `json:"bm25"`
	Vector Arm `json:"vector"`
	// Words is how near the request's words, one by one, are to words of the
	// tool: a mean cosine, 0 where the first arms put the tool too far down to ask.
	Words float64 `json:"words,omitempty"`
	Terms []Match `json:"terms,omitempty"` // matched query terms, heaviest first
	Note  string  `json:"note,omitempty"`  // such as why an arm did not take part
	// Fit is how well the tool fits the request, comparable between requests
	// unlike a score; see [Unfit]. 0 without a vector.
	Fit float64 `json:"fit,omitempty"`
}

// Arm is the view of one ranking. Rank is 0 if the tool is not in it.
type Arm struct {
	Rank  int     `json:"rank"`
	Score float64 `json:"score"` // BM25F sum, or cosine
}

// Match is one query term that a tool matched.
type Match struct {
	Term   string   `json:"term"` // stemmed
	Fields []string `json:"fields"`
	Score  float64  `json:"score"`
}
