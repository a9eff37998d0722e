package scan

// Text that wants to win the choice between tools.
var preferenceRules = []rule{
	say("prefer-me", .8, prose, "tells the model to choose it",
		"must 5 prefer 5 this|toolword|first", "prefer 3 this 2 toolword", "this 8 must 6 prefer|first", "prefer 4 only|other", "only 2 call 3 this", "call 2 only 3 this", "must 3 call 2 this 10 other|only",
		"{prefer this other toolword} 12"),
	say("superlative", .4, prose, "praises itself", "best", "best 8 best", "best 6 this|toolword"),
	say("advertises", .2, prose, "advertises itself", "promo", "promo 12 promo", "promo 8 promo 8 promo", "promo 6 prefer|best", "promo 6 only|other"),
	say("above-all", .6, prose, "puts itself above other tools", "best 8 other|only", "only 3 other", "other 5 gone|neg", "neg 6 other 3 toolword", "prefer 8 only", "best 6 prefer", "prefer 6 best"),
	say("promotes", .7, prose, "promotes something in the model's answers", "answer 8 best", "prefer|answer 8 neg 6 other", "must 8 answer 10 url|best"),
}
