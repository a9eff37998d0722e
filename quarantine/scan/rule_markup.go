package scan

// Markup that a model reads and a person overlooks.
var markupRules = []rule{
	match("tag", .7, anywhere, "wraps text in a tag that poses as an instruction",
		`</?\s*(important|hidden|secret|system|instructions?|admin\w*|global\w*|override\w*|critical|assistant|ai|note|internal|sys|prompt|rules?|directive|must|always|priority|urgent|mandatory)[a-z_ -]*>`),
	match("comment", 1.0, anywhere, "hides text in a comment", `<!--|-->|\[//\]: #|/\*\s*(system|hidden|ai|llm|instruction)`),
	match("model-token", 1.2, anywhere, "holds the control tokens of language models",
		`<\|\s*[\w]+\s*\|>|\[/?(inst|system|sys)\]|<</?sys>>|#{2,}\s*(instruction|system|assistant|user|response)s?\b|<(start|end)_of_turn>|\bhuman:|\bbegin (system|instruction)`),
	match("fence", .7, anywhere, "fences off text as a command", `\|{3}\s*\w+\s*\|{3}|={5,}\s*(system|begin|important|admin)|-{5,}\s*(system|begin|important|admin)`),
}
