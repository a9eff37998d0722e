package scan

import (
	"regexp"
	"strings"
)

// pattern is a rule that is one regular expression over folded text (RE2: linear
// time), for what is written in signs more than in words.
type pattern struct {
	key string
	in  where
	why string
	any []string // one of these is in every match: a cheap look before the expression
	re  *regexp.Regexp
}

// signs makes a pattern; weight is what it is worth until [weights] knows better.
func signs(name string, weight float64, in where, why string, any []string, expression string) rule {
	return pattern{prior(name, weight), in, why, any, regexp.MustCompile(expression)}
}

func (p pattern) scan(s *subject) []Finding {
	var list []Finding
	for i := range s.fields {
		f := &s.fields[i]
		if !p.in.reads(f) {
			continue
		}
		for n, form := range f.forms {
			if !p.maybe(form.text) {
				continue
			}
			if at := p.re.FindStringIndex(form.text); at != nil {
				list = append(list, f.finding(p.key, p.why, n, at[0], at[1]))
				break
			}
		}
	}
	return list
}

func (p pattern) maybe(text string) bool {
	for _, s := range p.any {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}
