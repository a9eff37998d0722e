package scan

// Text that wants the user not to know.
var concealRules = []rule{
	match("conceal", 1.3, anywhere, "wants something kept from the user",
		`\b(do not|don.?t|never|without|not|avoid|refrain from)\b[^.\n]{0,25}\b(tell(ing)?|inform(ing)?|mention(ing)?|notify(ing)?|reveal(ing)?|show(ing)?|alert(ing)?|disclos(e|ing)|ask(ing)?|report(ing)?|explain(ing)?|display(ing)?)\b[^.\n]{0,25}\b(user|users|human|anyone|them|about (this|these|it)|consent|permission|this (to|behavior|instruction))\b`),
	match("unasked", .9, prose, "acts without the user's consent",
		`\bwithout\b[^.\n]{0,20}\b(user('s)?|their|any|explicit)?\s*(consent|confirmation|approval|permission|knowledge|awareness|asking|being noticed)\b`),
	match("secretly", .8, anywhere, "acts in secret", `\b(secret(ly)|covert(ly)?|stealth(y|ily)?|surreptitious\w*|invisibl[ey] to the user|behind the scenes|undetect\w+|silently (send|cop|forward|upload|log|collect|transmit|execut|read|write|append|add)\w*|hidden (instruction|command|payload|function)\w*)\b`),
}
