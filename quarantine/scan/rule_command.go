package scan

// Commands where there should be prose, and injections in values.
var commandRules = []rule{
	signs("shell", .9, anywhere, "holds a shell command", []string{"rm -", ";", "|", "$(", "`", "curl", "wget", "bash", "chmod", "nc ", "powershell", "/sh", "mkfifo", "base64 -d", "sudo"},
		"\\brm -rf\\b|;\\s*(cat|rm|curl|wget|nc|bash|sh)\\b|\\|\\s*(nc|bash|sh)\\b|\\$\\([a-z/]|`[^`]*\\b(cat|curl|rm|whoami|wget) [^`]*`|\\bcurl -[a-z]|\\bwget (-\\S+ )*http|\\bbash -[ci]\\b|\\bchmod [-0-9+]|\\bnc -|\\bpowershell\\b -|/bin/(ba)?sh\\b|\\bmkfifo\\b|base64 -d|\\bsudo -?[a-z]"),
	signs("code", .7, anywhere, "holds code that runs other code", []string{"os.system", "subprocess", "eval(", "exec(", "system(", "__import__", "child_process", "runtime.exec", "<script", "javascript:", "onerror"},
		`\b(os\.system|subprocess\.|eval\(|exec\(|system\(|__import__|child_process|runtime\.exec)|<script\b|javascript:|onerror=`),
	signs("injection-value", 1, values, "a value that injects commands, queries or paths", []string{"$(", "`", ";", "'", "--", "../", "drop table", "union select", "${", "<script", "|", "169.254.", "127.0.0.1", "metadata.google"},
		"\\$\\(|`[^`]+`|;\\s*(cat|rm|curl|wget|nc|bash|sh|drop|select|id|whoami)\\b|' or '?1'?='?1|'\\s*;|;\\s*--|\\.\\./\\.\\./|\\bdrop table\\b|\\bunion (all )?select\\b|<script|\\|\\s*(sh|bash|nc|cat)\\b|169\\.254\\.169\\.254|127\\.0\\.0\\.1[:/]\\S*admin|metadata\\.google"),
	say("run-command", .6, prose, "has the model run a command", "call 4 exec", "must 6 exec", "exec 5 when|first", "{call exec this} 8", "priv 2 exec|call", "call 2 priv"),
}
