package scan

import "regexp"

// Powers that a definition claims for itself.
var capabilityRules = []rule{
	match("unrestricted", .8, prose, "claims powers without bounds",
		`\b(unrestricted|unlimited|full|complete|elevated|root|super-?user|administrator)\b[^.\n]{0,15}\b(system |shell |admin |root |file ?system )?(access|privileges?|control|permissions)\b|\bbypass\w*\b[^.\n]{0,40}\b(security|auth\w*|access controls?|safety|checks?|guard\w*|restrictions?|permissions?|filters?|validation|limits?)\b|\bdisabl\w+ (security|safety|logging|audit\w*|protection\w*)\b`),
}

// contradiction finds a tool that says it only reads and that it changes.
type contradiction struct{}

var (
	saysReads   = regexp.MustCompile(`\b(read[- ]?only|only reads?|does not modify|safe to call|harmless)\b`)
	saysChanges = regexp.MustCompile(`\b(delet(e|es|ing)|writ(e|es|ing) (to|secrets|files?)|modif(y|ies) |overwrit\w+|execut(e|es|ing)|remov(e|es|ing)|drop(s|ping)? )\b`)
	destroys    = regexp.MustCompile(`^\s*(delet|remov|drop|eras|wip|destroy|overwrit|execut)\w*\b`)
)

func (contradiction) scan(s *subject) []Finding {
	var list []Finding
	for _, f := range s.fields {
		if f.path != "description" {
			continue
		}
		claim := saysReads.MatchString(f.forms[0]) && saysChanges.MatchString(f.forms[0])
		hint := s.tool.Annotations.ReadOnlyHint != nil && *s.tool.Annotations.ReadOnlyHint && destroys.MatchString(f.forms[0])
		if claim || hint {
			list = append(list, Finding{Rule: "contradiction", Weight: .6, Field: f.path, Start: -1, End: -1, Text: clip(f.text),
				Why: "says that it only reads and that it changes something", Do: "decide by what it does; approve it as destructive or not at all"})
		}
	}
	return list
}
