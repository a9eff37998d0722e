package store

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// What the system says when nothing more can be written.
var (
	fullErrors     = []syscall.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}
	readOnlyErrors = []syscall.Errno{windows.ERROR_WRITE_PROTECT, windows.ERROR_ACCESS_DENIED}
)

// lockFile locks f for this program until it is closed; false: another has it.
func lockFile(f *os.File) (taken bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
