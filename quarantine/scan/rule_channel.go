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
	var list []Finding
	var told concepts
	for i := range s.fields {
		f := &s.fields[i]
		if f.path == "description" || f.path == "name" || f.path == "title" {
			purpose := beforeParameters(f.forms[0].text)
			for _, one := range f.forms[0].sentences {
				if one.start < purpose {
					told |= one.all
				}
			}
		}
	}
	loose := 0
	for i := range s.fields {
		f := &s.fields[i]
		if !strings.HasSuffix(f.path, " (name)") {
			continue
		}
		var about concepts
		for _, one := range f.forms[0].sentences {
			about |= one.all & knows
		}
		switch {
		case about&^told != 0:
			list = append(list, channel(f, "side-channel/"+lex.describe(about&^told&-(about&^told))))
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

// What the descriptions of parameters ask for.
var channelRules = []rule{
	say("parameter-asks", .5, params, "a parameter that asks for what the model knows or the user said", "context", "llm", "inner 4 model|user", "user 5 context|personal|inner",
		"secret 4 user", "model 4 context|inner|secret", "must 5 context|secret|personal", "path", "toolword 5 avail", "call 3 must 5 user"),
	say("explains-parameter", .4, prose, "explains a parameter for what the model knows", "param 5 context", "param 5 llm", "param 4 model", "param 5 personal", "param 6 secret", "param 8 user 4 inner|context|personal"),
}

func channel(f *field, key string) Finding {
	return Finding{key: key, Field: f.path, Start: 0, End: len(f.text), Text: clip(f.text),
		Why: "a parameter through which a model hands over what the tool does not need", Do: "ask what the tool does with it"}
}

// beforeParameters is where a docstring begins to list parameters: what it says
// there explains them and is no purpose of the tool.
func beforeParameters(text string) int {
	end := len(text)
	for _, head := range []string{"args:", "arguments:", "parameters:", "params:", "inputs:", "input:", ":param", "@param"} {
		if at := strings.Index(text, head); at > 0 {
			end = min(end, at)
		}
	}
	return end
}
