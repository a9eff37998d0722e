package scan

import (
	"strconv"
	"strings"
)

// where says which fields a rule reads.
type where int

const (
	anywhere  where = iota
	prose           // descriptions and titles
	values          // defaults, enums, examples
	names           // of the tool and its parameters
	texts           // all but names
	params          // what is said of parameters in the schema
	docstring       // the description itself, which may explain parameters too
)

func (w where) reads(f *field) bool {
	switch w {
	case prose:
		return f.kind == proseText
	case values:
		return f.value
	case names:
		return f.kind == nameText
	case texts:
		return f.kind != nameText
	case docstring:
		return f.path == "description"
	case params:
		return f.kind == proseText && strings.Contains(f.path, ".properties.")
	}
	return true
}

const advice = "read the whole definition; approve only if the tool needs this text for what it does"

// frame is a rule that is one or more patterns over the concepts of a sentence.
//
// A pattern such as "neg 4 tell 6 user|about" wants a neg, within 4 words a tell,
// and within 6 more a user or an about. "{neg tell user} 10" wants them in any
// order within 10 words. "!neg 3 …" wants no neg in the 3 words before. "@foreign …"
// reads sentences of other languages than English only, whose order of words
// differs, and "@english …" reads none of these.
type frame struct {
	name     string
	in       where
	why      string
	patterns []framePattern
}

type framePattern struct {
	key   string // the rule and the pattern, as weights.txt has it
	steps []frameStep
	needs []concepts // each must be in a sentence
	not   concepts   // must not stand before
	back  int        // how many words before
	span  int        // unordered: all within this many words

	foreign bool // reads other languages only
	english bool // reads English only
}

type frameStep struct {
	set concepts
	gap int // words between the step before and this one, at most
}

// say makes a frame of patterns in the language of [frame]. weight is what each is
// worth until [weights] knows better.
func say(name string, weight float64, in where, why string, patterns ...string) rule {
	f := frame{name: name, in: in, why: why}
	for _, excuse := range excuseNames {
		prior(name+"~"+excuse, excusePriors[excuse])
	}
	for _, text := range patterns {
		p := parsePattern(text)
		p.key = prior(name+"/"+text, weight)
		f.patterns = append(f.patterns, p)
	}
	return f
}

func parsePattern(text string) framePattern {
	lex := words()
	set := func(names string) (s concepts) {
		for name := range strings.SplitSeq(names, "|") {
			bit, ok := lex.bit[name]
			if !ok {
				panic("scan: pattern " + text + ": no concept " + name)
			}
			s |= bit
		}
		return s
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			panic("scan: pattern " + text + ": " + err.Error())
		}
		return n
	}
	var p framePattern
	part := strings.Fields(text)
	switch part[0] {
	case "@foreign":
		p.foreign, part = true, part[1:]
	case "@english":
		p.english, part = true, part[1:]
	}
	if strings.HasPrefix(part[0], "!") {
		p.not, p.back, part = set(part[0][1:]), number(part[1]), part[2:]
	}
	if strings.HasPrefix(part[0], "{") {
		p.span = number(part[len(part)-1])
		for _, names := range part[:len(part)-1] {
			p.steps = append(p.steps, frameStep{set: set(strings.Trim(names, "{}"))})
		}
	} else {
		p.steps = append(p.steps, frameStep{set: set(part[0])})
		for i := 1; i+1 < len(part); i += 2 {
			p.steps = append(p.steps, frameStep{set(part[i+1]), number(part[i])})
		}
	}
	for _, s := range p.steps {
		p.needs = append(p.needs, s.set)
	}
	return p
}

func (f frame) scan(s *subject) []Finding {
	var list []Finding
	for i := range s.fields {
		field := &s.fields[i]
		if !f.in.reads(field) {
			continue
		}
		for n := range field.forms {
			for j := range field.forms[n].sentences {
				list = f.read(list, s, field, n, j)
			}
		}
	}
	return list
}

// read appends what the rule finds in sentence j of form n, and what excuses it.
func (f frame) read(list []Finding, s *subject, field *field, n, j int) []Finding {
	form := &field.forms[n]
	one := &form.sentences[j]
	if f.in == docstring && one.marks[0].start < form.purpose {
		return list
	}
	excuse, found := allExcuses, Finding{}
	for k := range f.patterns {
		p := &f.patterns[k]
		start, end, ok := p.match(one)
		if !ok {
			continue
		}
		found = field.finding(p.key, f.why, n, start, end)
		found.at = form.first + j
		list = append(list, found)
		excuse &= p.excuses(one, start, end, s.topic)
	}
	if found.at == 0 {
		return list
	}
	if j > 0 || field.path != "description" || !describes(form.text) {
		excuse &^= lead
	}
	for k, name := range excuseNames {
		if excuse&(1<<k) != 0 {
			found.key = f.name + "~" + name
			list = append(list, found)
		}
	}
	return list
}

// excuse is a set of reasons why a match may be honest.
type excuse uint8

const (
	own     excuse = 1 << iota // about what the tool is named for
	guarded                    // what the tool detects or prevents
	lead                       // said of the tool itself, in a first sentence such as "Hides rows."

	allExcuses = own | guarded | lead
)

// describes reports a text that begins with a verb of the third person: "Hides rows"
// says what the tool does, "hide this" what the model should.
func describes(text string) bool {
	first := text
	if end := strings.IndexFunc(text, func(r rune) bool { return !wordRune(r) }); end >= 0 {
		first = text[:end]
	}
	return len(first) > 3 && strings.HasSuffix(first, "s") && !strings.HasSuffix(first, "ss") && first != "this" && first != "always" && first != "users"
}

var excusePriors = map[string]float64{"own": -.3, "guarded": -.5, "lead": -.3}

var excuseNames = []string{"own", "guarded", "lead"}

// excuses judges the match at bytes from to to of s.
func (p *framePattern) excuses(s *sentence, from, to int, topic concepts) (with excuse) {
	lex := words()
	subject := topic & p.union() & lex.topics
	for _, m := range s.marks {
		switch {
		case m.start >= from && m.end <= to && m.set&subject != 0:
			with |= own
		case m.start < from && m.set&lex.bit["guard"] != 0:
			with |= guarded
		}
	}
	return with
}

func (p *framePattern) match(s *sentence) (start, end int, ok bool) {
	if p.foreign && !s.foreign || p.english && s.foreign {
		return 0, 0, false
	}
	for _, need := range p.needs {
		if s.all&need == 0 {
			return 0, 0, false
		}
	}
	for i, m := range s.marks {
		if m.set&p.steps[0].set == 0 && p.span == 0 || p.not != 0 && p.before(s.marks[:i], m) {
			continue
		}
		if p.span > 0 {
			end, ok = p.together(s.marks[i:])
		} else {
			end, ok = p.after(s.marks[i+1:], m, 1)
		}
		if ok {
			return m.start, max(end, m.end), true
		}
	}
	return 0, 0, false
}

// before reports whether what must not be there stands shortly before m.
func (p *framePattern) before(marks []mark, m mark) bool {
	for i := len(marks) - 1; i >= 0 && m.first-marks[i].last <= p.back; i-- {
		if marks[i].set&p.not != 0 && marks[i].last < m.first {
			return true
		}
	}
	return false
}

// after finds the steps from n on in marks, which come after last.
func (p *framePattern) after(marks []mark, last mark, n int) (end int, ok bool) {
	if n == len(p.steps) {
		return last.end, true
	}
	for i, m := range marks {
		if m.first-last.last > p.steps[n].gap {
			break
		}
		if m.first > last.last && m.set&p.steps[n].set != 0 {
			if end, ok := p.after(marks[i+1:], m, n+1); ok {
				return end, true
			}
		}
	}
	return 0, false
}

// together reports whether every step is met by a mark of its own within the span
// that begins with the first of marks.
func (p *framePattern) together(marks []mark) (end int, ok bool) {
	if marks[0].set&p.union() == 0 {
		return 0, false
	}
	left := len(p.steps)
	var met [8]bool
	for _, m := range marks {
		if m.first-marks[0].first > p.span {
			break
		}
		for n := range p.steps {
			if !met[n] && m.set&p.steps[n].set != 0 {
				met[n], end = true, max(end, m.end)
				left--
				break
			}
		}
		if left == 0 {
			return end, true
		}
	}
	return 0, false
}

func (p *framePattern) union() (set concepts) {
	for _, s := range p.steps {
		set |= s.set
	}
	return set
}
