package scan

// Text that wants to win the choice between tools.
var preferenceRules = []rule{
	match("prefer-me", .9, prose, "tells the model to choose it",
		`\b(always|must|should|only|strongly)\b[^.\n]{0,20}\b(choose|select|prefer|pick|use|prioriti[sz]e|recommend\w*)\b[^.\n]{0,15}\b(this|our|me)\b( tool| function| brand| one| first)?|\b(prefer|choose|select|prioriti[sz]e) this (tool|function)\b`),
	match("superlative", .45, prose, "praises itself",
		`\b(the best|most (accurate|reliable|trusted|powerful|effective|efficient|secure|popular|advanced)|superior|unmatched|number one|#1|world.?s (best|leading)|far better|highest quality|guaranteed|top[- ]rated|award[- ]winning)\b`),
	match("above-all", .5, prose, "puts itself above other tools",
		`\b(over|than|above|before) (all|any|every|the) (other|others|alternative|similar)\b|\bregardless of\b|\bhighest priority\b|\bonly tool (you|that)\b|\bno other tool\b|\b(the )?(sole|exclusive|only) (way|tool|method|choice)\b`),
}
