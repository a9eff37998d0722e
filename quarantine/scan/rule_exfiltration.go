package scan

const (
	secretWords = `(~/?\.ssh|id_rsa|id_ed25519|/etc/(passwd|shadow|hosts)|\.env\b|\.aws|\.pem\b|\.npmrc|mcp\.json|claude_desktop|private keys?|ssh keys?|api[ _-]?keys?|access tokens?|auth(entication)? tokens?|environment variables?|credentials?|passwords?|secrets?|github_token|` +
		`(chat|conversation|message|prompt) (history|logs?|context)|previous (messages?|conversations?|chats?)|system prompt|sensitive (data|files?|information|system files)|cookies?|wallet|seed phrase|personal (data|information))`
	sendWords = `(send|sends|sending|upload\w*|transmit\w*|forward\w*|post(s|ed|ing)?|exfiltrat\w*|leak\w*|e-?mail\w*|copy|copies|deliver\w*|report\w*|pass(es|ed)?|include\w*|append\w*|attach\w*|encode\w*)`
	sinkWords = `(https?://|curl\b|wget\b|webhook|external (server|service|endpoint|api|host)\w*|remote (server|host|endpoint)\w*|third[- ]party|attacker|\bc2\b|[\w.+-]+@[\w-]+\.\w+)`
)

// Text that takes data where it does not belong.
var exfiltrationRules = []rule{
	match("exfiltrate", 1.0, anywhere, "moves secrets or the conversation somewhere else",
		`\b`+sendWords+`\b[^.\n]{0,80}`+secretWords+`|`+secretWords+`[^.\n]{0,80}\b`+sendWords+`\b[^.\n]{0,60}`+sinkWords),
	match("secret-to-sink", .6, prose, "names secrets and a place outside in one text",
		`(?s)`+secretWords+`.{0,200}`+sinkWords+`|`+sinkWords+`.{0,200}`+secretWords),
	match("secret-file", .8, anywhere, "names files that hold keys and passwords", `~/?\.ssh|\bid_rsa\b|/etc/(passwd|shadow)|\.aws/credentials|\.cursor/mcp\.json|claude_desktop_config`),
	match("read-secret", .6, prose, "reads secrets", `\b(read|access|collect|gather|harvest|retrieve|extract|steal|dump|capture|scan)\w*\b[^.\n]{0,50}`+secretWords),
	match("as-parameter", .8, prose, "fills a parameter with what the tool does not need",
		`\b(pass|put|include|insert|provide|append|store|place)\b[^.\n]{0,50}\b(contents?|history|conversation|prompt|context|reasoning|full list|all (the )?(messages|data|previous))\b[^.\n]{0,60}\b(as|in|into|to|through|via|inside)\b`),
	match("overt", .7, prose, "says itself that it does harm",
		`\b(exfiltrat\w+|attacker|malicious\w*|malware|backdoors?|keylog\w*|ransomware|phishing|privilege escalation|persistent access|steal(s|ing)?|hijack\w*|inject(s|ing)? (malicious|prompts?|commands?)|reverse shell|harvest\w* (credentials?|data|passwords?)|data theft|social engineering|psychological manipulation|impersonat\w+)\b`),
	match("overt-twice", .6, prose, "says more than once that it does harm",
		`(?s)\b(exfiltrat\w+|attackers?|malicious\w*|malware|backdoors?|keylog\w*|ransomware|phishing|escalat\w+|persistent access|steal\w*|hijack\w*|reverse shell|harvest\w*|social engineering|manipulat\w+|impersonat\w+|rm -rf|exploit\w*|unauthori[sz]ed|evil|intercept\w*|spoof\w*|surveil\w*|destr(oy|uct)\w*|corrupt\w*)\b.*\b(exfiltrat\w+|attackers?|malicious\w*|backdoors?|keylog\w*|escalat\w+|persistent access|steal\w*|hijack\w*|reverse shell|harvest\w*|bypass\w*|manipulat\w+|impersonat\w+|dangerous|exploit\w*|unauthori[sz]ed|intercept\w*|spoof\w*|credentials?|passwords?|sensitive|secrets?|destr(oy|uct)\w*|corrupt\w*)\b`),
	match("copy-to", .8, prose, "sends a copy to somebody", `\b(bcc|cc|copy|copies|duplicate|proxy)\b[^.\n]{0,60}([\w.+-]+@[\w-]+\.\w+|\+?\d{9,}|https?://)`),
	match("side-effect", .8, prose, "also hands what it sees to somebody else",
		`\b(shar(e|ed|es|ing)|sync(s|ed|hroni[sz]ed)?|stream(s|ed|ing)?|stor(e|ed|es)|cach(e|ed|es)|logg(ed|ing)|sent|sends?|add(s|ed)|transmit(s|ted)?|forward(s|ed)?|index(es|ed)|back(s|ed) up|upload(s|ed)?|cop(y|ied|ies)|report(s|ed)?|maintain(s|ed)?)\b[^.\n]{0,70}\b(third[- ]part(y|ies)|partners?|remote(ly)?|cloud|external(ly)?|marketing|advert\w+|analytics|quality assurance|our (server|team|service|research)\w*|remote endpoints?|(newsletter|mailing) \w+|data brokers?)\b`),
	match("personal", .35, prose, "handles data that says who and where the user is",
		`\b(clipboard|fingerprint|hostname|mac address|running processes|location history|account numbers?|credit cards?|screenshots?|keystrokes|browsing history|contact lists?|api keys?|credentials|passwords|social security|biometric\w*|tokens, or)\b`),
	match("besides", .25, prose, "does something besides its purpose",
		`\b(also|additionally|automatically|in addition|during \w+|for (caching|entropy|analytics|optimi[sz]ation|persistence|accuracy|performance|improvement))\b[^.\n]{0,60}\b(index|extract|collect|cach|log|stor|inclu|incorporat|captur|add|upload|send|record|opted|shar|perform)\w*\b`),
	match("third-party-telemetry", .5, prose, "collects what users do", `\b(log|record|collect|track|monitor|telemetry)\w*\b[^.\n]{0,40}\b(all|every|user('s)?) (messages?|queries|requests?|conversations?|activ\w+|inputs?|keystrokes?)\b`),
}
