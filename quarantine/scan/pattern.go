package scan

import "regexp"

// where says which fields a pattern reads.
type where int

const (
	anywhere where = iota
	prose          // descriptions and titles
	values         // defaults, enums, examples
)

// pattern is a rule that is one regular expression over lower-case text (RE2:
// linear time).
type pattern struct {
	name   string
	weight float64
	in     where
	re     *regexp.Regexp
	why    string
}

// match makes a pattern.
func match(name string, weight float64, in where, why, expression string) rule {
	return pattern{name, weight, in, regexp.MustCompile(expression), why}
}

// shortest is the length of a text that can hold an order.
const shortest = 8

const advice = "read the whole definition; approve only if the tool needs this text for what it does"

func (p pattern) scan(s *subject) []Finding {
	var list []Finding
	for _, f := range s.fields {
		if p.in == prose && !f.prose || p.in == values && !f.value || len(f.text) < shortest {
			continue
		}
		for i, form := range f.forms {
			at := p.re.FindStringIndex(form)
			if at == nil {
				continue
			}
			found := Finding{Rule: p.name, Weight: p.weight, Field: f.path, Start: -1, End: -1, Text: clip(form[at[0]:at[1]]), Why: p.why, Do: advice}
			if i == 0 && len(form) == len(f.text) {
				found.Start, found.End = at[0], at[1]
			}
			list = append(list, found)
			break
		}
	}
	return list
}
