package quarantine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Class says what kind of change a [Difference] is, the gravest that fits.
type Class string

// The classes, from harmless to grave. They order a reviewer's queue and decide
// nothing.
const (
	Wording       Class = "wording"        // other words for the same
	NewCapability Class = "new capability" // the schema or the behaviour hints differ
	NewDirective  Class = "new directive"  // words were added that tell an agent what to do
)

// Difference is what changed between two definitions of one tool, or of another
// kind.
type Difference struct {
	Class   Class    `json:"class"`
	Changes []Change `json:"changes"`
}

// Change is one text, number or truth value of a definition that differs.
type Change struct {
	Path  string  `json:"path"` // such as inputSchema.properties.path.description
	Words []Piece `json:"words"`
}

// Piece is a run of words of a [Change], in the order of reading.
type Piece struct {
	Op   string `json:"op"` // "=" stays, "-" goes, "+" comes
	Text string `json:"text"`
}

// directive finds words that address whoever reads the definition instead of
// saying what the tool does.
var directive = regexp.MustCompile(`(?i)\b(you (must|should|need to)|must|always|never|do not|don't|dont|ignore|disregard|override|important|` +
	`before (using|calling|you)|after (using|calling)|instead of|first call|without (telling|asking|mentioning)|secret(ly)?|` +
	`system|instruction|assistant|previous|password|credentials?|token|api[_ -]?key|private key|\.ssh|\.env|id_rsa|` +
	`send (it|them|the|all)|forward|bcc|upload (it|them|the|all)|proxy)\b`)

// Compare returns the differences of two definitions, sorted by path. Key order
// and layout are none. A definition that is no JSON object is an error.
func Compare(before, after json.RawMessage) (Difference, error) {
	was, err := flatten(before)
	if err != nil {
		return Difference{}, err
	}
	is, err := flatten(after)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Class: Wording}
	paths := maps.Clone(was)
	maps.Copy(paths, is)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if was[path] == is[path] {
			continue
		}
		c := Change{Path: path, Words: diffWords(words(was[path]), words(is[path]))}
		d.Changes = append(d.Changes, c)
		d.Class = graver(d.Class, c.class())
	}
	return d, nil
}

func graver(a, b Class) Class {
	order := []Class{Wording, NewCapability, NewDirective}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// harmless are the members that say nothing about what can be done: texts, and
// what changes in a resource by itself.
var harmless = []string{"description", "title", "instructions", "size", "annotations.lastModified"}

func (c Change) class() Class {
	for _, p := range c.Words {
		if p.Op == "+" && directive.MatchString(p.Text) {
			return NewDirective
		}
	}
	if slices.Contains(harmless, c.Path) || strings.HasSuffix(c.Path, ".description") || strings.HasSuffix(c.Path, ".title") {
		return Wording
	}
	return NewCapability
}

// flatten returns every leaf of a definition by its path.
func flatten(definition json.RawMessage) (map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(definition))
	dec.UseNumber()
	var root map[string]any
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	leaves := map[string]string{}
	walk(leaves, "", root)
	return leaves, nil
}

func walk(leaves map[string]string, path string, node any) {
	switch v := node.(type) {
	case map[string]any:
		if len(v) == 0 && path != "" {
			leaves[path] = "{}"
		}
		for key, sub := range v {
			if path != "" {
				key = path + "." + key
			}
			walk(leaves, key, sub)
		}
	case []any:
		if len(v) == 0 {
			leaves[path] = "[]"
		}
		for i, sub := range v {
			walk(leaves, fmt.Sprintf("%s[%d]", path, i), sub)
		}
	case string:
		leaves[path] = v
	default:
		leaves[path] = fmt.Sprint(v)
	}
}

var wordPattern = regexp.MustCompile(`[\pL\pN_]+|\s+|.`)

// words splits text into words, runs of space and single other characters.
func words(text string) []string { return wordPattern.FindAllString(text, -1) }

// maxTable bounds the work of one comparison: what is longer counts as replaced.
const maxTable = 4 << 20

// diffWords returns a shortest way from was to is.
func diffWords(was, is []string) []Piece {
	head := 0
	for head < len(was) && head < len(is) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < len(was)-head && tail < len(is)-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	var p pieces
	p.add("=", was[:head]...)
	p.middle(was[head:len(was)-tail], is[head:len(is)-tail])
	p.add("=", was[len(was)-tail:]...)
	return p
}

type pieces []Piece

// add appends words; those of one kind that follow each other are one piece.
func (p *pieces) add(op string, words ...string) {
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, "")
	if n := len(*p); n > 0 && (*p)[n-1].Op == op {
		(*p)[n-1].Text += text
		return
	}
	*p = append(*p, Piece{op, text})
}

// middle compares by the longest common subsequence (Wagner & Fischer 1974).
func (p *pieces) middle(was, is []string) {
	if len(was)*len(is) > maxTable {
		p.add("-", was...)
		p.add("+", is...)
		return
	}
	common := make([][]int32, len(was)+1)
	for i := range common {
		common[i] = make([]int32, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			p.add("=", was[i])
			i++
			j++
		case j == len(is) || i < len(was) && common[i+1][j] >= common[i][j+1]:
			p.add("-", was[i])
			i++
		default:
			p.add("+", is[j])
			j++
		}
	}
}
