package scan

import (
	"regexp"
	"strings"
)

// sideChannel finds parameters that a tool does not need and that make a model
// hand over what it knows.
type sideChannel struct{}

var (
	handsOver = regexp.MustCompile(`^_*(system_?prompt|(chat|conversation|message|prompt|session)_?(history|log|context|so_?far)|chain_?of_?thought|thoughts?|reasoning(_trace)?|side_?note|internal_?(notes?|state)|model_?(name|id|info|identity)|tools?_?list|available_?tools|previous_?(messages|outputs?|results|calls)|user_?(secrets?|credentials?)|call_?chain|all_?context|assistant_?(name|memory)|env(ironment)?_?(vars?|variables?|dump)|memory_?dump)_*$`)
	vague     = regexp.MustCompile(`^_*(feedback|debug|extra(s|_info|_data|_context)?|note|notes|metadata|misc|additional_?(info|context|data|notes)|remarks|annotation|diagnostics?|telemetry|hidden|internal|summary_of_\w+|context)_*$`)
)

func (sideChannel) scan(s *subject) []Finding {
	var list []Finding
	count := 0
	for _, f := range s.fields {
		if !strings.HasSuffix(f.path, " (name)") {
			continue
		}
		name := strings.ToLower(f.text)
		switch {
		case handsOver.MatchString(name):
			list = append(list, channel(f, 1))
		case vague.MatchString(name):
			if count++; count >= 3 {
				list = append(list, channel(f, 1))
			} else {
				list = append(list, channel(f, .25*float64(count)))
			}
		}
	}
	return list
}

func channel(f field, weight float64) Finding {
	return Finding{Rule: "side-channel", Weight: weight, Field: f.path, Start: 0, End: len(f.text), Text: clip(f.text),
		Why: "a parameter through which a model hands over what the tool does not need", Do: "ask what the tool does with it"}
}
