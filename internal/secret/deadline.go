package secret

import (
	"errors"
	"fmt"
	"time"
)

// errNoAnswer is why a request to the keyring was given up.
var errNoAnswer = errors.New("it does not answer; it may be waiting for its password in a window")

// requests bounds how many requests may hang in a keyring that does not answer.
// The system's interfaces cannot be cancelled: what is given up ends when the
// keyring answers or the process ends.
var requests = make(chan struct{}, 4)

// within returns what f does, or an error wrapping errNoAnswer if that takes
// longer than limit. f then goes on.
func within[T any](limit time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	late := answer{err: fmt.Errorf("%w (waited %s)", errNoAnswer, limit)}
	select {
	case requests <- struct{}{}:
	case <-timer.C:
		return late.value, late.err
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-requests }()
		value, err := f()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		return late.value, late.err
	}
}
