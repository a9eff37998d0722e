// Package scan looks for what attacks on agents look like in tool definitions.
//
// [Tool] reads every text of a definition an agent can see (names, titles,
// descriptions, and everything in its schemas), in several [forms]: with look-alike
// letters and hidden characters undone, with leet digits read as letters, and with
// entities, escapes, base64 and the like decoded.
//
// A lexicon turns the words of each sentence into [concepts], whatever the
// language: what is forbidden, told, sent, secret, another tool. Rules (one subject
// each, rule_*.go) are patterns of concepts, such as "not ... tell ... the user",
// and a few expressions for what is written in signs. Each pattern has a weight,
// learned from a corpus and kept in weights.txt, and they are summed over the few
// sentences of a passage. A second reader knows no rules: it weighs words and pairs
// of words of a passage (words.txt), and so finds orders that no rule foresaw. What
// the two find adds up. Only what no honest tool has, such as characters that hide
// text, is block.
//
// A scanner orders a reviewer's queue. It is no promise: rewriting escapes it,
// which is why a person approves exact text. docs/security.md has its figures.
package scan

import (
	"cmp"
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
	key    string  // what weights.txt calls it; Rule is its first part
	at     int     // the sentence it was seen in, from 1; 0 is the definition as a whole
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
	Score    float64   `json:"score"` // of the passage that weighs most, by rules and words; 1 is a review
	Findings []Finding `json:"findings"`
}

// Tool scans t. peers are tools that agents see beside it, of any server; t
// itself among them does not matter. It is safe for concurrent use.
func Tool(t tool.Tool, peers []tool.Tool) Report {
	s := look(t, peers, bundled())
	return s.judge()
}

// sight is what there is to see in a definition; findings have no weights yet.
type sight struct {
	findings  []Finding
	sentences []saying // by their number, from 1
	params    []string // names of parameters
	names     []int32  // their phrases
}

// look has every rule look at t, and w read it.
func look(t tool.Tool, peers []tool.Tool, w *wording) *sight {
	in := subject{tool: t, peers: peers}
	in.fields, in.cut = fieldsOf(t)
	in.topic = topicOf(in.fields)
	s := &sight{}
	for _, rule := range rules {
		s.findings = append(s.findings, rule.scan(&in)...)
	}
	s.read(in.fields, w)
	return s
}

// judge gives every finding its weight, puts those of one rule in one field
// together, and scores.
func (s *sight) judge() Report {
	r := Report{Verdict: Pass, Findings: []Finding{}}
	type place struct{ rule, field string }
	at := map[place]int{}
	list, w := s.passages(), bundled()
	var most passage
	most, r.Score = heaviest(list, w)
	if words := w.weigh(most.words); words >= shownWords {
		r.Findings = append(r.Findings, s.worded(most, w, words))
	}
	for _, f := range s.findings {
		f.Weight = weights[f.key]
		f.Rule, _, _ = strings.Cut(f.key, "/")
		f.Rule, _, _ = strings.Cut(f.Rule, "~")
		if f.Block {
			r.Verdict = Block
		}
		if i, ok := at[place{f.Rule, f.Field}]; ok {
			r.Findings[i] = merge(r.Findings[i], f)
			continue
		}
		at[place{f.Rule, f.Field}] = len(r.Findings)
		r.Findings = append(r.Findings, f)
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Weight <= 0 && !f.Block })
	if r.Verdict == Pass && r.Score >= reviewAt-1e-9 {
		r.Verdict = Review
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), strings.Compare(a.Field, b.Field))
	})
	return r
}

// merge puts two findings of a rule in one field together: the heavier one stays.
func merge(a, b Finding) Finding {
	block := a.Block || b.Block
	if b.Weight > a.Weight {
		a = b
	}
	a.Block = block
	return a
}

// subject is one tool under examination.
type subject struct {
	tool   tool.Tool
	fields []field
	cut    bool     // it holds more than the caps allow to read
	topic  concepts // what its name is about
	peers  []tool.Tool
}

// topicOf is what the name of a tool is about.
func topicOf(fields []field) (topic concepts) {
	for i := range fields {
		if fields[i].path != "name" {
			continue
		}
		for _, one := range fields[i].forms[0].sentences {
			topic |= one.all
		}
	}
	return topic
}

// rule is one way to look at a tool.
type rule interface {
	scan(s *subject) []Finding
}

// rules are all of them; their order decides nothing.
var rules = slices.Concat(directiveRules, honestRules, concealRules, exfiltrationRules, crossRules, preferenceRules, commandRules,
	capabilityRules, markupRules, channelRules, []rule{tooLarge{}, hiddenCharacters{}, mixedScripts{}, padding{}, encoded{}, sideChannel{}, peerMention{}, contradiction{}})

const shownText = 80 // bytes

func clip(s string) string {
	if len(s) <= shownText {
		return s
	}
	return strings.ToValidUTF8(s[:shownText], "")
}
