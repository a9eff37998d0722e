package scan

import (
	"regexp"
	"strings"

	"mcpproxy/internal/tool"
)

// Text about other tools.
var crossRules = []rule{
	match("redirect", 1.0, prose, "changes what other tools do",
		`\b(redirect|change|replace|modif(y|ies)|override|overrides|hijack|intercept|rewrite|alter|substitute)\w*\b[^.\n]{0,50}\b(recipients?|all (e-?mails?|messages?|requests?|calls?|communications?)|behaviou?r of|other tools?|all tools|any (tool|other)|output of|results? of|parameters? of|destination address)`),
	match("when-present", .7, prose, "takes effect on other tools by being there",
		`\bwhen(ever)?\b[^.\n]{0,60}\b(tool|function|server)s? (is|are) (present|available|invoked|called|used|installed|enabled)\b|\bwhen(ever)? this tool is (available|present|installed)\b`),
	match("instead", .5, prose, "wants to be used instead of others",
		`\binstead of\b[^.\n]{0,25}\b(using|calling|the|any|other|that)\b[^.\n]{0,30}\b(tools?|functions?|commands?|server)\b|\b(use|call|prefer) this (tool|function|one)?\b[^.\n]{0,20}\b(instead|rather than|over)\b`),
	match("discredit", .7, prose, "says that other tools do not work any more",
		`\b(other|all other|original|standard|default|built-?in|previous|old|existing|the)\b[^.\n]{0,40}\b(tools?|functions?|versions?|methods?)\b[^.\n]{0,30}\b(no longer|deprecated|broken|unsafe|insecure|outdated|not (effective|reliable|work\w*|safe)|must not|should not be used|do not use|disabled)`),
	match("call-first", .7, prose, "wants another tool called first",
		`\b(must|should|need to|have to|always|required to|critical to|important to|first)\b[^.\n]{0,50}\b(first )?(call|calls|calling|invoke|invoking|fetch|use|using|run|running)\b[^.\n]{0,12}(\x60\w+\x60|\b[a-z]+_[a-z_]+\b)`),
	match("ritual", .45, prose, "demands a step that it argues for at length",
		`\b(before|prior to)\b[^.\n]{0,90}\b(critical|crucial|essential|imperative|mandatory|necessary|required|must|important)\b`),
	match("argues", .3, prose, "argues instead of describing",
		`\b(this (helps|ensures?|guarantees?|is (critical|crucial|essential|necessary|required|important))|for (enhanced|optimal|better|improved|comprehensive|accurate)|(essential|crucial|critical|vital) (for|to)|quality assurance|optimal results|enhanced \w+ (validation|processing|results|accuracy))\b`),
	match("dependency", .6, prose, "makes other tools depend on it",
		`\b(must|required|mandatory|need(s|ed)?)\b[^.\n]{0,40}\b(before|prior to)\b[^.\n]{0,40}\b(any|other|all|every|using|calling|each)\b|\b(all|any|every) (other )?(tools?|operations?|requests?|actions?|commands?)\b[^.\n]{0,30}\b(must|requires?|need to|should)\b`),
}

// peerMention finds the names of other tools beside an order.
type peerMention struct{}

var order = regexp.MustCompile(`\b(must|always|never|before|after|instead|first|replace|override|redirect|ignore|when|whenever|prioriti\w+)\b`)

func (peerMention) scan(s *subject) []Finding {
	var list []Finding
	for _, f := range s.fields {
		if !f.prose || !order.MatchString(f.forms[0]) {
			continue
		}
		for _, p := range s.peers {
			if name := p.ID.Name; mentions(s.tool, p) && strings.Contains(f.forms[0], strings.ToLower(name)) {
				list = append(list, Finding{Rule: "peer", Weight: .4, Field: f.path, Start: -1, End: -1, Text: clip(name),
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
