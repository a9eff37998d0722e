package scan

// Powers that a definition claims for itself.
var capabilityRules = []rule{
	say("unrestricted", .8, prose, "claims powers without bounds", "!neg 5 priv"),
	say("contradiction", .8, prose, "says that it only reads and that it changes something", "safe 14 destroy|exec", "destroy 14 safe"),
}

// contradiction finds a tool that says in one place that it only reads and in
// another that it changes something.
type contradiction struct{}

func (contradiction) scan(s *subject) []Finding {
	lex := words()
	safe := lex.bit["safe"]
	for i := range s.fields {
		f := &s.fields[i]
		if f.path != "description" {
			continue
		}
		list := f.contradictions(lex, "words", func(i int) bool {
			one := f.forms[0].sentences
			return one[i].all&safe != 0 || i > 0 && one[i-1].all&safe != 0 || i > 1 && one[i-2].all&safe != 0
		})
		if hint := s.tool.Annotations.ReadOnlyHint; len(list) == 0 && hint != nil && *hint {
			list = f.contradictions(lex, "hint", func(int) bool { return true })
		}
		return list
	}
	return nil
}

// contradictions finds powers in the sentences that are near a claim to have none.
func (f *field) contradictions(lex *lexicon, claim string, near func(sentence int) bool) (list []Finding) {
	not := lex.bit["neg"] | lex.bit["safe"]
	for _, power := range []string{"destroy", "priv", "exec"} {
		for i, one := range f.forms[0].sentences {
			if !near(i) || one.start >= f.forms[0].purpose {
				continue
			}
			if m, ok := unless(one.marks, lex.bit[power], not); ok {
				list = append(list, Finding{key: "contradiction/" + claim + " " + power, at: f.forms[0].first + i, Field: f.path, Start: -1, End: -1, Text: clip(f.forms[0].text[m.start:one.end]),
					Why: "says that it only reads and that it does more", Do: "decide by what it does; approve it as destructive or not at all"})
				break
			}
		}
	}
	return list
}

// unless finds a mark of set that none of not stands close before.
func unless(marks []mark, set, not concepts) (mark, bool) {
	for i, m := range marks {
		if m.set&set == 0 || m.set&not != 0 {
			continue
		}
		p := framePattern{not: not, back: 14}
		if !p.before(marks[:i], m) {
			return m, true
		}
	}
	return mark{}, false
}
