package scan

// Text that wants the user not to know.
var concealRules = []rule{
	say("conceal", 1.2, texts, "wants something kept from the user",
		"neg 4 divulge", "keep 5 hush", "secretly",
		"neg 4 tell 5 user", "neg 3 tell 4 this", "neg 4 tell 4 this 3 user", "user 6 neg 3 tell", "@foreign {neg tell user} 9", "secretly|hush 4 user", "user 3 neg 3 secretly"),
	say("unasked", .8, prose, "acts without the user's consent", "!neg 8 neg 3 consent", "!neg 8 neg 3 user 2 consent", "ignore 3 consent", "consent 5 neg 3 must", "neg 2 ask 4 user|consent", "ignore 2 tell 3 user", "@foreign {neg consent user} 8"),
	say("secretly", .8, texts, "acts in secret", "secretly 5 read|send|put|call|destroy|change|monitor|exec", "read|send|put|call|destroy|change|monitor 5 secretly", "must 6 secretly", "hush 5 send|monitor", "send|monitor 5 hush", "{hush secret|context|personal} 10"),
	say("plays-down", .5, texts, "plays down what it asks for", "pretext", "tell 5 neg 4 change|destroy"),
}
