package scan

// Text that gives the model orders instead of describing the tool.
var directiveRules = []rule{
	say("override", 1.2, texts, "tells the model to drop its instructions or checks",
		"rules 8 void", "model 4 void", "ignore 4 rules",
		"ignore 4 prior 4 rules", "@foreign {ignore prior rules} 8", "rules 5 prior 4 ignore", "ignore 4 user 3 rules", "ignore 3 prior 3 model"),
	say("role", 1, texts, "gives the model another role or powers", "asif", "model 4 priv", "{asif priv} 8"),
	say("authority", .7, prose, "claims to speak for the system, its administrator or an authority",
		"auth 1 notice", "urgent 3 auth 1 notice", "auth 4 must 6 model|tools", "auth 2 must 8 call|put|send|read"),
	say("obey", .8, texts, "wants text obeyed as if the user had written it", "must|model 3 ignore 5 user", "rules 8 prior 2 user"),
	say("order-about-tools", .8, prose, "demands something before or after tools are used, whichever they are",
		"when 4 call 3 other 4 toolword", "when 2 other 4 toolword", "must 8 when 5 other 4 toolword|call", "call|must 6 when 2 other 2 tools|prior",
		"other 3 toolword 8 must 8 call|first", "{when other toolword must} 14", "neg 3 toolword 8 when|must 6 first|call", "toolword 6 neg 3 must|call 8 first"),
	say("first-step", .7, prose, "wants to be the first step of everything",
		"must 8 call|this|tools 10 first", "first 1 call 6 this", "call 2 this 3 when 4 other", "when 6 other 3 tools", "must 4 first 3 tools", "this 6 first 6 other"),
	say("every-turn", .7, prose, "wants to be called at every turn", "when 3 other 3 answer|tools|context", "persist 6 call|must", "must 6 call 8 persist", "call 4 when 3 model 2 answer"),
	say("persist", .7, texts, "wants to last beyond its call", "persist 8 must|put|answer|ignore", "must|model 6 persist", "put 5 persist"),
	say("imperative", .35, prose, "orders the model about", "model 1 must", "must 2 call|read|send|put|answer", "model 3 must 3 call|put|send|read"),
	say("threat", .5, prose, "threatens that something fails unless it is obeyed", "neg 8 threat", "threat 3 neg", "must 12 threat"),
	say("urgency", .3, prose, "presses for attention", "urgent 3 urgent", "urgent 3 must", "urgent 2 notice"),
	say("dictates-answer", .6, prose, "dictates what the model says", "must 4 answer", "model 3 answer 6 must"),
	say("hidden-duty", .6, prose, "hides a duty of the model among facts", "model 3 must 4 read|send|put", "must 3 model 4 read|send|put"),
	say("trigger", .4, prose, "does something else on a condition", "when 12 send|put|destroy 8 secret|personal|email|context", "when 12 destroy 10 tell"),
}
