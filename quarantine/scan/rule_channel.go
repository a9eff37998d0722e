package scan

import "strings"

// sideChannel finds parameters through which a model hands over what it knows and
// the tool does not need: what the parameter is about is nowhere in the
// description.
type sideChannel struct{}

// vague are names of parameters that take anything.
var vague = " " + strings.Join(strings.Fields("feedback debug extra extras extra_info extra_data note notes metadata misc additional_info additional_data additional_notes "+
	"remarks remark annotation diagnostics telemetry hidden internal trace comment comments"), "  ") + " "

func (sideChannel) scan(s *subject) []Finding {
	lex := words()
	knows := lex.bit["context"] | lex.bit["llm"] | lex.bit["secret"] | lex.bit["personal"] | lex.bit["path"] | lex.bit["inner"]
	purpose, told := s.purpose()
	var list []Finding
	loose := 0
	for i := range s.fields {
		f := &s.fields[i]
		if !strings.HasSuffix(f.path, " (name)") || named(purpose, f.forms[0].text) {
			continue
		}
		var about concepts
		for _, one := range f.forms[0].sentences {
			for _, m := range one.marks {
				if m.start > 0 {
					m.set &^= lex.bit["llm"] // the model of something else
				}
				about |= m.set & knows
			}
		}
		switch odd := about &^ told; {
		case odd != 0:
			list = append(list, channel(f, "side-channel/"+lex.describe(odd&-odd)))
		case strings.Contains(vague, " "+strings.ToLower(f.text)+" "):
			if loose++; loose > 2 {
				list = append(list, channel(f, "side-channel/vague-many"))
			} else {
				list = append(list, channel(f, "side-channel/vague"))
			}
		}
	}
	return list
}

// purpose is what the definition says before it comes to its parameters, and the
// concepts in there.
func (s *subject) purpose() (text string, told concepts) {
	for i := range s.fields {
		f := &s.fields[i]
		if f.path != "description" && f.path != "name" && f.path != "title" {
			continue
		}
		end := f.forms[0].purpose
		text += " " + f.forms[0].text[:end]
		for _, one := range f.forms[0].sentences {
			for _, m := range one.marks {
				if m.start < end {
					told |= m.set
				}
			}
		}
	}
	return text, told
}

// named reports whether a word of a parameter's name is in the purpose.
func named(purpose, name string) bool {
	for word := range strings.FieldsSeq(name) {
		if len(word) > 3 && word != "name" && word != "user" && word != "info" && word != "data" && strings.Contains(purpose, strings.TrimSuffix(word, "s")) {
			return true
		}
	}
	return false
}

// What the descriptions of parameters ask for.
var channelRules = []rule{
	say("parameter-asks", .5, params, "a parameter that asks for what the model knows or the user said", "context", "llm", "inner 4 model", "model 4 inner",
		"user 4 context", "must 5 context|secret", "path", "toolword 5 avail", "call 3 must 5 user"),
	say("explains-parameter", .4, docstring, "explains a parameter for what the model knows", "param 5 context", "param 5 llm", "param 4 model", "param 5 personal", "param 6 secret", "param 8 user 4 inner|context|personal", "param 5 inner"),
}

func channel(f *field, key string) Finding {
	return Finding{key: key, Field: f.path, Start: 0, End: len(f.text), Text: clip(f.text),
		Why: "a parameter through which a model hands over what the tool does not need", Do: "ask what the tool does with it"}
}
