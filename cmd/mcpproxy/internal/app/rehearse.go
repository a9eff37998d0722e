package app

import (
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
)

// Rehearsal tells what adding servers would be refused for, one after the other,
// and changes nothing.
type Rehearsal struct {
	draft   *config.Draft
	refused error // whatever is added
}

// Rehearse begins with the configuration that an instance answered.
func Rehearse(c client.Config) (*Rehearsal, error) {
	draft, err := config.NewFile(c.Path).Draft()
	r := &Rehearsal{draft: draft}
	if c.ReadOnly {
		r.refused = readOnly(c.Path)
	}
	return r, err
}

// AddServer returns the error that the instance's own AddServer would.
func (r *Rehearsal) AddServer(add client.ServerChange) error {
	if r.refused != nil {
		return r.refused
	}
	if err := checkName(add); err != nil {
		return err
	}
	return asClientError(r.draft.AddServer(*add.Name, fields(add)))
}
