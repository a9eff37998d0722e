package scan

// Powers that a definition claims for itself.
var capabilityRules = []rule{
	say("unrestricted", .8, prose, "claims powers without bounds", "priv"),
	say("contradiction", .8, prose, "says that it only reads and that it changes something", "safe 14 destroy|exec", "destroy 14 safe"),
}

// contradiction finds a tool that says in one place that it only reads and in
// another that it changes something.
type contradiction struct{}

func (contradiction) scan(s *subject) []Finding {
	lex := words()
	safe, neg := lex.bit["safe"], lex.bit["neg"]
	for i := range s.fields {
		f := &s.fields[i]
		if f.path != "description" {
			continue
		}
		claim := ""
		if s.tool.Annotations.ReadOnlyHint != nil && *s.tool.Annotations.ReadOnlyHint {
			claim = "hint"
		}
		for _, one := range f.forms[0].sentences {
			if one.all&safe != 0 {
				claim = "words"
			}
		}
		if claim == "" {
			return nil
		}
		var list []Finding
		for _, power := range []string{"destroy", "priv", "exec", "send"} {
			for _, one := range f.forms[0].sentences {
				if m, ok := unless(one.marks, lex.bit[power], neg|safe); ok {
					list = append(list, Finding{key: "contradiction/" + claim + " " + power, Field: f.path, Start: -1, End: -1, Text: clip(f.forms[0].text[m.start:one.end]),
						Why: "says that it only reads and that it does more", Do: "decide by what it does; approve it as destructive or not at all"})
					break
				}
			}
		}
		return list
	}
	return nil
}

// unless finds a mark of set that none of not stands close before.
func unless(marks []mark, set, not concepts) (mark, bool) {
	for i, m := range marks {
		if m.set&set == 0 || m.set&not != 0 {
			continue
		}
		p := framePattern{not: not, back: 6}
		if !p.before(marks[:i], m) {
			return m, true
		}
	}
	return mark{}, false
}
