//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// What the system says when nothing more can be written.
var (
	fullErrors     = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}
	readOnlyErrors = []syscall.Errno{syscall.EROFS, syscall.EACCES, syscall.EPERM}
)

// lockFile locks f for this program until it is closed; false: another has it.
func lockFile(f *os.File) (taken bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
