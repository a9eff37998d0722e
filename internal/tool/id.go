package tool

import (
	"errors"
	"fmt"
	"strings"

	"mcpproxy/internal/escape"
)

// ErrBadID is wrapped by every error of [ParseID].
var ErrBadID = errors.New("bad tool id")

// ID names one tool of one upstream, or another of its definitions. Server is
// the configured name and never contains ':'; Name is whatever the upstream
// calls the tool and may.
type ID struct {
	Server, Name string
	Kind         Kind // zero: a tool
}

// String returns "server:name", the form agents and people use for tools, and
// [ID.Target] for other kinds.
func (id ID) String() string {
	if id.Kind != "" {
		return id.Target()
	}
	return id.Server + ":" + id.Name
}

// ParseID splits s at its first colon. It returns an error wrapping [ErrBadID]
// if either side is empty or s has no colon. ParseID(id.String()) == id for
// every id whose Server is a valid server name.
func ParseID(s string) (ID, error) {
	server, name, found := strings.Cut(s, ":")
	if !found || server == "" || name == "" {
		return ID{}, fmt.Errorf("%w %q: want \"server:tool\", as retrieve_tools returns it", ErrBadID, escape.Clip(s, 80))
	}
	return ID{Server: server, Name: name}, nil
}
