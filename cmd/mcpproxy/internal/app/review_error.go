package app

import (
	"errors"
	"fmt"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/closest"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

// unknownItem tells a reviewer that a server lists no such definition, and what is
// close or there.
func unknownItem(id tool.ID, known []tool.ID) error {
	const most = 12
	e := &client.Error{Code: client.CodeNotFound, Message: fmt.Sprintf("server %q lists no %s", id.Server, id.Target())}
	var names, targets []string
	for _, k := range known {
		targets = append(targets, k.Target())
		if k.Kind == id.Kind {
			names = append(names, k.Name)
		}
	}
	switch near := closest.Name(id.Name, names); {
	case len(known) == 0:
		e.Hint = "it was not listed yet: " + hint.Command("quarantine", "inspect", id.Server)
	case near != "":
		e.Hint = "did you mean " + tool.ID{Server: id.Server, Kind: id.Kind, Name: near}.Target() + "?"
	case len(targets) > most:
		e.Hint = fmt.Sprintf("there are %s and %d more", strings.Join(targets[:most], ", "), len(targets)-most)
	default:
		e.Hint = "there are " + strings.Join(targets, ", ")
	}
	return e
}

// reviewError tells a reviewer why nothing was decided.
func reviewError(err error, server string) error {
	message, advice, _ := strings.Cut(err.Error(), "\nhint: ")
	e := &client.Error{Message: message, Hint: advice}
	switch {
	case errors.Is(err, quarantine.ErrMoved), errors.Is(err, quarantine.ErrNotInspected):
		e.Code, e.Hint = client.CodeConflict, "look again: "+hint.Command("quarantine", "inspect", server)
	case errors.Is(err, quarantine.ErrHeld):
		e.Code = client.CodeHeld
	case errors.Is(err, store.ErrFull):
		e.Code, e.Hint = client.CodeUnavailable, "free some space and do it again; what was approved before still serves"
	case errors.Is(err, store.ErrReadOnly):
		e.Code, e.Hint = client.CodeForbidden, "make the data directory writable and do it again; what was approved before still serves"
	default:
		return err
	}
	return e
}
