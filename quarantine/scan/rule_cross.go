package scan

import (
	"regexp"
	"strings"

	"mcpproxy/internal/tool"
)

// Text about other tools.
var crossRules = []rule{
	say("redirect", 1, prose, "changes what other tools do",
		"change 8 target 6 other|prior|toolword", "!neg|guard 5 change 4 other 3 target", "when 10 named 12 change", "when 10 toolword 12 change 8 target|email|put",
		"other 3 target 10 change|send", "change 6 target 12 email", "named 10 must 6 change"),
	say("rides-along", .8, prose, "takes effect when another tool is used",
		"when 8 named 8 call", "when 8 named 14 must|put|send", "call 3 named 12 must|put|send", "when 4 this|self|toolword 5 avail", "named 6 when 3 call", "when 8 self 10 must"),
	say("chain", .6, prose, "wants another tool called", "must|first 6 call 3 named", "when 5 call 3 this 12 call 3 named", "{must call named} 8", "neg 4 call 4 when 8 named", "also 1 named"),
	say("discredit", .8, prose, "says that another tool does not work any more",
		"self|named 6 gone", "other|prior 5 toolword 6 gone", "toolword 6 gone", "gone 4 self|named", "gone 4 toolword"),
	say("redirects-calls", .6, prose, "sends calls to another tool",
		"call 4 named 8 only", "only 3 named", "change 5 named", "call 2 named 6 tools", "must 8 change 6 named|toolword", "only 4 other 3 toolword", "other 4 toolword 6 only"),
	say("depends", .6, prose, "makes other tools depend on it", "other 3 toolword 6 must", "other 2 answer 6 must", "must 6 when 6 other", "this 4 must 6 when 4 other|toolword"),
}

// peerMention finds the names of other tools beside an order.
type peerMention struct{}

var order = regexp.MustCompile(`\b(must|always|never|before|after|instead|first|replace|override|redirect|ignore|when|whenever|prioriti\w+)\b`)

func (peerMention) scan(s *subject) []Finding {
	if len(s.peers) == 0 {
		return nil
	}
	var list []Finding
	for _, f := range s.fields {
		if f.kind != proseText || !order.MatchString(f.forms[0].text) {
			continue
		}
		for _, p := range s.peers {
			if name := p.ID.Name; mentions(s.tool, p) && strings.Contains(f.forms[0].text, strings.ToLower(name)) {
				list = append(list, Finding{key: "peer", Field: f.path, Start: -1, End: -1, Text: clip(name),
					Why: "gives orders about the tool " + clip(p.ID.String()), Do: "look whether the two belong together"})
				break
			}
		}
	}
	return list
}

// mentions reports names long enough to be no common word, of another server.
func mentions(t, peer tool.Tool) bool {
	return peer.ID.Server != t.ID.Server && len(peer.ID.Name) > 5 && strings.ContainsAny(peer.ID.Name, "_-")
}
