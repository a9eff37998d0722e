package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// Errors of writing. Nothing is half written, and what was there is still read.
var (
	ErrFull     = errors.New("no space is left in the data directory")
	ErrReadOnly = errors.New("the data directory cannot be written")
)

// named wraps what the system says about a failed write in the error of this
// package that says what it means.
func named(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrFull), errors.Is(err, ErrReadOnly):
		return err
	case says(err, fullErrors):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case says(err, readOnlyErrors), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

// says reports whether err is one of what, or ends with its words: bbolt formats
// the error of a file that cannot grow without wrapping it.
func says(err error, what []syscall.Errno) bool {
	for _, e := range what {
		if errors.Is(err, e) || strings.HasSuffix(err.Error(), ": "+e.Error()) {
			return true
		}
	}
	return false
}
