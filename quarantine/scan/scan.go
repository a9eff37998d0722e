// Package scan looks for what attacks on agents look like in tool definitions.
//
// [Tool] reads every text of a definition an agent can see (names, titles,
// descriptions, and everything in its schemas), in several [forms]: as written,
// with look-alike letters and hidden characters undone, with leet digits read as
// letters, and with entities, percent signs, base64 and hex decoded. Rules (one
// file each, rule_*.go) find signals in them, each with a weight; their sum
// decides between pass and review. Only what no honest tool has, such as
// characters that hide text, is block.
//
// A scanner orders a reviewer's queue. It is no promise: rewriting escapes it,
// which is why a person approves exact text. docs/security.md has its figures.
package scan

import (
	"slices"
	"strings"

	"mcpproxy/internal/tool"
)

// Verdict is what a [Report] comes to.
type Verdict string

// The verdicts.
const (
	Pass   Verdict = "pass"
	Review Verdict = "review" // a person should read this with care
	Block  Verdict = "block"  // no honest tool has this
)

// Finding is one signal that a rule saw.
type Finding struct {
	Rule   string  `json:"rule"`
	Weight float64 `json:"weight"` // what it adds to the score; 1 is a review by itself
	Block  bool    `json:"block,omitempty"`
	Field  string  `json:"field"` // such as description or inputSchema.properties.path.default
	// Start and End are byte offsets in the field; -1 where the signal was found
	// in another form of it.
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"` // what was seen, at most 80 bytes
	Why   string `json:"why"`
	Do    string `json:"do"`
}

// Report is the result of one scan.
type Report struct {
	Verdict  Verdict   `json:"verdict"`
	Score    float64   `json:"score"` // sum of the weights, each rule once for each field's best
	Findings []Finding `json:"findings"`
}

// reviewAt is the score from which a definition is for review.
const reviewAt = .8

// Tool scans t. peers are tools that agents see beside it, of any server; t
// itself among them does not matter. It is safe for concurrent use.
func Tool(t tool.Tool, peers []tool.Tool) Report {
	r := Report{Findings: []Finding{}}
	in := subject{tool: t, fields: fieldsOf(t), peers: peers}
	for _, rule := range rules {
		r.Findings = append(r.Findings, rule.scan(&in)...)
	}
	r.judge()
	return r
}

// judge sums the strongest finding of each rule.
func (r *Report) judge() {
	best := map[string]float64{}
	r.Verdict = Pass
	for _, f := range r.Findings {
		best[f.Rule] = max(best[f.Rule], f.Weight)
		if f.Block {
			r.Verdict = Block
		}
	}
	for _, w := range best {
		r.Score += w
	}
	if r.Verdict == Pass && r.Score >= reviewAt-1e-9 {
		r.Verdict = Review
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return strings.Compare(a.Field, b.Field)
	})
}

// subject is one tool under examination.
type subject struct {
	tool   tool.Tool
	fields []field
	peers  []tool.Tool
}

// rule is one way to look at a tool.
type rule interface {
	scan(s *subject) []Finding
}

// rules are all of them; their order decides nothing.
var rules = slices.Concat(directiveRules, concealRules, exfiltrationRules, crossRules, preferenceRules, commandRules,
	capabilityRules, markupRules, languageRules, []rule{hiddenCharacters{}, mixedScripts{}, padding{}, encoded{}, sideChannel{}, peerMention{}, contradiction{}})

const shownText = 80 // bytes

func clip(s string) string {
	if len(s) <= shownText {
		return s
	}
	return strings.ToValidUTF8(s[:shownText], "")
}
