package scan

// Markup that a model reads and a person overlooks.
var markupRules = []rule{
	signs("tag", .7, texts, "wraps text in a tag that poses as an instruction", []string{"<", "[", "{"},
		`<[/\s]*(important|hidden|secret|system|instructions?|admin\w*|global\w*|override\w*|critical|assistant|ai|internal|sys|prompt|rules?|directive|must|always|priority|urgent|mandatory)[a-z_ -]*>|[\[{](important|hidden|secret|system|admin|note to (the )?(assistant|model|ai|agent)|assistant|internal|override|directive)[a-z _-]*[:\]}]`),
	signs("comment", 1, texts, "hides text in a comment", []string{"<!--", "[//]", "/*"},
		`<!--\s*\S+\s+\S+\s+\S+[^>]*-->|<!--[^>]*$|\[//\]: #|/\*\s*(system|hidden|ai|llm|instruction)`),
	signs("model-token", 1.2, texts, "holds the control tokens of language models", []string{"<|", "[/", "[in", "[sy", "<<", "##", "_of_turn", "human:", "begin "},
		`<\|\s*[\w]+\s*\|>|\[/?(inst|sys)\]|<</?sys>>|#{2,}\s*(instruction|system|assistant)s?\b|<(start|end)_of_turn>|\bhuman:|\bbegin (system|instruction)`),
	signs("fence", .7, texts, "fences off text as a command", []string{"|||", "=====", "-----"},
		`\|{3}\s*\w+\s*\|{3}|={5,}\s*(system|begin|important|admin)|-{5,}\s*(system|begin (system|instruction|hidden|prompt)|important|admin)`),
	signs("speaks-as", .8, texts, "poses as a message of the system", []string{"system:", "assistant:", "system :"},
		`(^|[\n.\]{>]\s*)(system|assistant)( (prompt|message|note|update|instruction|override))?\s?:`),
}
