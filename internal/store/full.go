package store

import (
	"errors"
	"fmt"
	"io/fs"
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
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, errQuota), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
