package scan

// Commands where there should be prose, and injections in values.
var commandRules = []rule{
	match("shell", .9, anywhere, "holds a shell command",
		"\\brm -rf\\b|;\\s*(cat|rm|curl|wget|nc|bash|sh)\\b|\\|\\s*(nc|bash|sh)\\b|\\$\\([a-z/]|`[^`]*(cat|curl|rm|whoami|wget) [^`]*`|\\bcurl -|\\bwget http|\\bbash -[ci]|\\bchmod [-0-9+]|\\bnc -|\\bpowershell\\b -|/bin/(ba)?sh\\b|\\bmkfifo\\b|base64 -d"),
	match("code", .7, anywhere, "holds code that runs other code", `\b(os\.system|subprocess\.|eval\(|exec\(|system\(|__import__|child_process|runtime\.exec)|<script\b|javascript:|onerror=`),
	match("injection-value", 1.0, values, "a value that injects commands or queries", "\\$\\(|`[^`]+`|;\\s*\\w+ |' or '?1'?='?1|--\\s*$|\\.\\./\\.\\./|\\bdrop table\\b|union select|\\$\\{\\w+\\}|<script|\\|\\s*\\w+"),
	match("run-command", .6, prose, "has the model run a command", `\b(run|execute|invoke)\b[^.\n]{0,20}\b(the )?(following|this|these)\b[^.\n]{0,15}\b(commands?|code|script|shell|bash)\b|\bexecut\w+ (any|arbitrary) (shell |bash |system |operating system )?(commands?|code)\b|\bany shell command\b`),
}
