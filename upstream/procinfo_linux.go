package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// procStat is what we need of /proc/PID/stat.
type procStat struct {
	state byte   // field 3
	pgrp  int    // field 5
	start string // field 22: clock ticks since boot
}

func readStat(pid int) (procStat, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(data))
}

// parseStat reads a line of /proc/PID/stat. The name in it may hold anything,
// so fields count from the last parenthesis.
func parseStat(line string) (procStat, error) {
	i := strings.LastIndexByte(line, ')')
	f := strings.Fields(line[i+1:])
	if i < 0 || len(f) < 20 {
		return procStat{}, errors.New("unknown format of /proc/PID/stat")
	}
	pgrp, err := strconv.Atoi(f[2])
	if err != nil {
		return procStat{}, fmt.Errorf("process group in /proc/PID/stat: %w", err)
	}
	return procStat{state: f[0][0], pgrp: pgrp, start: f[19]}, nil
}

func (s procStat) runs() bool { return s.state != 'Z' && s.state != 'X' }

// processStart returns a text that no other process with the same pid ever had:
// its start time and the boot it counts from.
func processStart(pid int) (string, error) {
	s, err := readStat(pid)
	if err != nil {
		return "", err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + s.start, nil
}

// groupRuns reports whether a member of the group runs. A dead member that no
// one reaped, as under a PID 1 that reaps nothing, does not count.
func groupRuns(leader int) bool {
	if s, err := readStat(leader); err == nil && s.pgrp == leader && s.runs() {
		return true
	}
	return len(groupMembers(leader)) > 0
}

// groupMembers returns the running members of a group.
func groupMembers(leader int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var members []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && s.pgrp == leader && s.runs() {
			members = append(members, pid)
		}
	}
	return members
}

// groupMarked reports whether a running member of the group has mark, a
// "NAME=value", in its environment. It tells whether a group whose leader is
// gone is still the one that we started.
func groupMarked(leader int, mark string) bool {
	for _, pid := range groupMembers(leader) {
		env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err == nil && bytes.Contains(append([]byte{0}, env...), []byte("\x00"+mark+"\x00")) {
			return true
		}
	}
	return false
}
