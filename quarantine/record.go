package quarantine

import (
	"sort"

	"mcpproxy/internal/tool"
)

// State is where a server or a tool stands with the reviewer.
type State string

// The states.
const (
	Pending  State = "pending"  // never approved
	Approved State = "approved" // exactly these bytes were approved
	Changed  State = "changed"  // approved once, differs now
)

// Launch is the identity that an approval of a server is bound to: what would
// run, or what would be contacted. Values of env and headers are not part of it.
type Launch struct {
	Transport   string   `json:"transport"`
	Command     string   `json:"command,omitempty"`
	Args        []string `json:"args,omitempty"` // as configured, placeholders unexpanded
	WorkingDir  string   `json:"working_dir,omitempty"`
	EnvNames    []string `json:"env_names,omitempty"`
	URL         string   `json:"url,omitempty"`
	HeaderNames []string `json:"header_names,omitempty"`
}

// Normal returns l with its name lists sorted, so that equal identities have
// equal hashes.
func (l Launch) Normal() Launch {
	l.EnvNames = sorted(l.EnvNames)
	l.HeaderNames = sorted(l.HeaderNames)
	return l
}

func sorted(names []string) []string {
	names = append([]string(nil), names...)
	sort.Strings(names)
	return names
}

// Record is one tool definition that waits, for a reviewer's eyes. Its text is
// the upstream's and must be escaped before it is printed.
type Record struct {
	Tool  tool.Tool
	Hash  tool.Hash
	State State // Pending or Changed
}
