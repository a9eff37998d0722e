package scan

// What honest definitions say of themselves; it counts against the rest, but never
// for much: an attacker can write it too.
var honestRules = []rule{
	say("own-use", -.2, prose, "says when it is of use itself", "ownuse", "ownuse 6 when", "call 1 this 3 when"),
	say("asks-user", -.3, prose, "has the user asked or told", "@english !neg 4 tell|consent|ask 3 user", "!neg 4 ask", "must 3 consent", "user 3 consent"),
	say("own-parameters", -.1, prose, "explains its own parameters", "param", "param 3 must"),
	say("about-attacks", -.4, prose, "is about attacks and secrets, as security tools are", "guard 10 harm", "guard 12 ignore|asif", "guard 10 secret|personal|path", "guard 8 send"),
	say("promises", -.3, prose, "says what it does not do", "neg 4 send|monitor|put 6 secret|personal|sink|context", "neg 4 change|destroy", "secret|personal 8 neg 3 tell|divulge|send|monitor", "neg 4 tell|divulge|send|put|monitor 5 secret|personal", "neg 4 guard"),
}
