package proxy

import "mcpproxy/internal/hint"

// suggested is the command for the user that does what group and verb say to
// name.
func suggested(group, verb, name string) string {
	return hint.Command(group, verb, printable(name))
}

// reviewing is how the user lets a server in.
func reviewing(server string) string {
	return suggested("quarantine", "inspect", server) + ", then " + suggested("quarantine", "approve", server)
}
