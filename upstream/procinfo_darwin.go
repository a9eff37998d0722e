package upstream

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of <sys/proc.h>.
const zombie = 5

func processInfo(pid int) (*unix.KinfoProc, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	switch {
	case errors.Is(err, unix.EIO): // an answer without a process
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	case int(info.Proc.P_pid) != pid:
		return nil, fs.ErrNotExist
	}
	return info, nil
}

// processStart returns a text that no other process with the same pid ever had:
// its start time in microseconds.
func processStart(pid int) (string, error) {
	info, err := processInfo(pid)
	if err != nil {
		return "", err
	}
	t := info.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", t.Sec, t.Usec), nil
}

// groupRuns reports whether a member of the group runs.
func groupRuns(leader int) bool {
	members, err := unix.SysctlKinfoProcSlice("kern.proc.pgrp", leader)
	if err != nil {
		return true // kill(2) has just found one
	}
	for i := range members {
		if members[i].Proc.P_stat != zombie {
			return true
		}
	}
	return false
}

// groupMarked cannot be known here: the environment of a process is not ours to
// read. A group whose leader is gone is left alone.
func groupMarked(int, string) bool { return false }
