package app

import (
	"errors"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/store"
	"mcpproxy/quarantine"
)

// reviewError tells a reviewer why nothing was decided.
func reviewError(err error, server string) error {
	message, hint, _ := strings.Cut(err.Error(), "\nhint: ")
	e := &client.Error{Message: message, Hint: hint}
	switch {
	case errors.Is(err, quarantine.ErrMoved), errors.Is(err, quarantine.ErrNotInspected):
		e.Code, e.Hint = "conflict", "look again: mcpproxy quarantine inspect "+server
	case errors.Is(err, quarantine.ErrHeld):
		e.Code = "held"
	case errors.Is(err, store.ErrFull):
		e.Code, e.Hint = "unavailable", "free some space and do it again; what was approved before still serves"
	case errors.Is(err, store.ErrReadOnly):
		e.Code, e.Hint = "forbidden", "make the data directory writable and do it again; what was approved before still serves"
	default:
		return err
	}
	return e
}
