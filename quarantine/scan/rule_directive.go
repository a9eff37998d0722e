package scan

// Text that gives the model orders instead of describing the tool.
var directiveRules = []rule{
	match("override", 1.2, anywhere, "tells the model to drop its instructions",
		`\b(ignor\w*|disregard\w*|forget|overrid\w+|bypass\w*)\b[^.\n]{0,30}\b(previous|prior|above|earlier|preceding|all|any|safety|existing|user)\b[^.\n]{0,20}\b(instructions?|rules?|guidelines?|context|checks?|prompts?|directives?|constraints?|polic\w+|input)`),
	match("role", 1.0, anywhere, "gives the model another role",
		`\b(you are now|from now on,? you|act as|pretend (to be|you)|assume the role|your (new|real|true) (role|task|goal|instructions?)|you have (unrestricted|full|root|complete))\b`),
	match("authority", .9, anywhere, "claims to speak for the system or its administrator",
		`\b((system|admin(istrator)?|developer|security|operator)[ _-]*(override|prompt|instructions?|message|directive|notice|alert)|important system|role directive|override mode|new (instructions?|directives?))\b|^\s*system\s*:|\n\s*(system|assistant)\s*:`),
	match("precondition", .7, prose, "demands something before or after other tools are used",
		`\b(before|prior to|after|whenever|every time|each time|any ?time)\b[^.\n]{0,40}\b(us(e|ing)|call(ing)?|invok(e|ing)|execut(e|ing)|run(ning)?|perform(ing)?)\b[^.\n]{0,20}\b(this|any|other|all|every|the|another)\b[^.\n]{0,25}\b(tools?|functions?|commands?|operations?|actions?)\b`),
	match("first-step", .6, prose, "wants to be the first step of everything",
		`\b(must|should|need to|have to|always|required to)\b[^.\n]{0,25}\b(first|initially|beforehand)\b|\bfirst\b[^.\n]{0,15}\b(call|run|invoke|execute|read|access|check)\b[^.\n]{0,40}\b(before|then)\b|\b(mandatory|required) (first )?step\b`),
	match("imperative", .35, prose, "orders the model about",
		`\b(you must|you should|you need to|you have to|always|must always|make sure (to|you)|be sure to|never)\b[^.\n]{0,20}\b(call|use|run|invoke|execute|read|include|send|pass|add|append|provide|respond|say|reply|copy|forward|attach|set|insert|output|return)\b`),
	match("threat", .5, prose, "threatens that something fails unless it is obeyed",
		`\b(otherwise|or else|if you (don.?t|do not|fail)|unless you|without this)\b[^.\n]{0,60}\b(not work|fail|crash\w*|break|error|lose|lost|blocked|refus\w+|terminat\w+|unusable)\b|\bwithout exception\b|\bnot optional\b`),
	match("urgency", .35, prose, "presses for attention", `\b(very,? very|extremely|absolutely|highly) (important|critical|urgent)\b|\b(critical|urgent|attention|warning|mandatory|important)\s*[:!]`),
	match("respond-with", .6, prose, "dictates what the model answers", `\b(always|only|must) (respond|reply|answer|say|state|claim|output)\b`),
}
