package scan

// Text that wants to win the choice between tools.
var preferenceRules = []rule{
	say("prefer-me", .8, prose, "tells the model to choose it",
		"must 5 prefer 5 this|toolword|first", "prefer 3 this 2 toolword", "this 5 must 3 prefer|first", "prefer 4 only|other", "prefer 3 call 2 this", "must 4 call 2 this", "best 8 first", "!neg 3 prefer 4 this", "only 2 call 3 this", "call 2 only 3 this", "must 3 call 2 this 10 other|only",
		"{prefer this other toolword} 12"),
	say("superlative", .4, prose, "praises itself", "best", "best 8 best", "best 6 this|toolword", "this 6 best", "promo 6 toolword", "this 6 promo", "best 6 promo", "promo 6 best"),
	say("advertises", .2, prose, "advertises itself", "promo", "promo 12 promo", "promo 8 promo 8 promo", "promo 12 prefer|best", "promo 6 only|other"),
	say("above-all", .6, prose, "puts itself above other tools", "best 8 other|only", "other 5 gone|neg", "neg 3 other 3 toolword", "prefer 8 only", "best 12 prefer", "prefer 6 best", "ignore 3 other", "prefer 4 first", "best 5 only", "only 5 best"),
	say("promotes", .7, prose, "promotes something in the model's answers", "answer 8 best", "must 8 answer 10 url|best|promo", "only 3 answer 6 promo|best", "answer 6 promo"),
}
