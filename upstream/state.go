package upstream

import (
	"errors"
	"fmt"
	"slices"

	"mcpproxy/internal/hint"
)

// transitions are the legal changes of a server's state. Apply and Restart
// replace a server, so that every state may also be followed by the first
// states of a new one: Disabled, Held and Starting.
var transitions = map[State][]State{
	Disabled:   {},
	Held:       {},
	Starting:   {Ready, NeedsLogin, BackingOff, Failed},
	Ready:      {NeedsLogin, BackingOff, Failed},
	NeedsLogin: {},
	BackingOff: {Ready, NeedsLogin, Failed},
	Failed:     {},
}

// legal reports whether one server may go from one state to another. Staying
// is legal.
func legal(from, to State) bool { return from == to || slices.Contains(transitions[from], to) }

// first returns the state a server begins in, and why if it does not start.
func first(s Spec) (State, error) {
	switch {
	case s.Disabled:
		return Disabled, nil
	case s.Held != "":
		return Held, errors.New(s.Held)
	default:
		return Starting, nil
	}
}

// after returns the state that follows a connection or a try that ended with
// err.
func after(err error) State {
	switch {
	case errors.Is(err, ErrConfig):
		return Failed
	case errors.Is(err, ErrLogin), errors.Is(err, ErrRights):
		return NeedsLogin
	default:
		return BackingOff
	}
}

// unavailable says why a call to a server in state st cannot be sent, and what
// to do about it. It wraps ErrUnavailable, and cause unless that speaks of an
// earlier call.
func unavailable(name string, st State, cause error) error {
	if cause != nil && errors.Is(cause, ErrLost) {
		cause = errors.New(cause.Error())
	}
	var next string
	switch st {
	case Disabled:
		next = "is disabled; hint: " + hint.Command("upstream", "enable", name)
	case Held:
		next = "waits for approval; hint: " + hint.Command("quarantine", "inspect", name)
	case NeedsLogin:
		next = "needs a login; hint: " + hint.Command("auth", "login", name)
	case Failed:
		next = "failed; hint: correct its configuration, then " + hint.Command("upstream", "restart", name)
	default:
		next = "cannot be reached, the next try follows by itself"
	}
	if cause == nil {
		return fmt.Errorf("upstream %q is %w: it %s", name, ErrUnavailable, next)
	}
	return fmt.Errorf("upstream %q is %w: it %s: %w", name, ErrUnavailable, next, cause)
}
