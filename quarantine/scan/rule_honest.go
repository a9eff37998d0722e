package scan

// What honest definitions say of themselves; it counts against the rest, but never
// for much: an attacker can write it too.
var honestRules = []rule{
	say("own-use", -.2, prose, "says when it is of use itself", "ownuse", "ownuse 6 when", "call 1 this 3 when"),
	say("asks-user", -.3, prose, "has the user asked or told", "!neg 4 tell|consent 3 user", "must 3 consent", "user 3 consent"),
	say("own-parameters", -.1, prose, "explains its own parameters", "param", "param 3 must"),
	say("about-attacks", -.4, prose, "is about attacks and secrets, as security tools are", "guard 10 harm", "guard 12 ignore|asif", "guard 10 secret|personal|path", "guard 8 send"),
	say("promises", -.3, prose, "says what it does not do", "neg 4 send|monitor|put 6 secret|personal|sink|context", "neg 4 change|destroy", "secret 4 neg", "neg 4 guard"),
	extent{},
}

// extent tells how long a definition is: in a long one words of attacks meet by
// chance.
type extent struct{}

func (extent) scan(s *subject) []Finding {
	count := 0
	for i := range s.fields {
		if f := &s.fields[i]; f.kind == proseText && len(f.forms) > 0 {
			count += len(f.forms[0].sentences)
		}
	}
	var list []Finding
	for _, step := range extents {
		if count > step.sentences {
			list = append(list, Finding{key: step.key, Field: "definition", Start: -1, End: -1, Text: "…", Why: "is long", Do: advice})
		}
	}
	return list
}

var extents = []struct {
	sentences int
	key       string
}{{4, prior("extent/4", -.05)}, {10, prior("extent/10", -.1)}, {25, prior("extent/25", -.2)}, {60, prior("extent/60", -.2)}}
