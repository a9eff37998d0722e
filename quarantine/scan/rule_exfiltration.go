package scan

// Text that takes data where it does not belong.
var exfiltrationRules = []rule{
	say("exfiltrate", 1, texts, "moves secrets or the conversation somewhere else",
		"send 10 secret|path|context|personal 10 sink|url|email", "secret|path|context|personal 12 send 10 sink|url|email", "read 10 secret|path|context|personal 14 send",
		"{send path} 10", "{send secret sink|url|email} 18", "{send context sink|url|email} 18"),
	say("as-parameter", .9, texts, "fills a parameter with what the tool does not need",
		"put 8 secret|path|context|personal 8 param", "param 10 put 8 secret|path|context", "{put path} 8", "put 6 context", "context 6 put", "put 8 secret 3 read", "read 10 path|secret|context 12 put",
		"must|model 6 put 8 secret|personal|context"),
	say("secret-file", .8, texts, "names files that hold keys and passwords", "path"),
	say("read-secret", .6, prose, "reads secrets or what was said", "read 6 secret|context|personal", "read 3 path"),
	say("secret-outside", .5, prose, "names secrets and a place outside in one sentence", "{secret|context|personal sink|email} 24"),
	say("to-sink", .5, prose, "sends what it sees to somebody else", "send|monitor|put 8 sink", "send 10 url|email", "sink 6 send|monitor"),
	say("watches", .5, prose, "records what the user does", "monitor 5 context|personal", "context 6 send|monitor", "monitor 4 secret|context"),
	say("overt", 1, texts, "says itself that it does harm", "harm 8 harm", "harm 6 secret|personal|path|sink|exec", "secret|personal|read|send 4 harm"),
	say("harm", .6, prose, "speaks of attacks", "harm"),
	say("copy-to", .9, prose, "sends a copy to a given address", "send 10 email", "{send email must} 20"),
	say("besides", .3, prose, "does something besides its purpose", "also 4 read|send|monitor|put|destroy", "when 4 read|monitor|send 6 secret|personal|context"),
}
