//go:build unix

package upstream

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// processGroup is a process group, named by the pid of its leader.
type processGroup struct{ leader int }

// prepareGroup makes cmd start in a group of its own.
func prepareGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

func adoptGroup(cmd *exec.Cmd) processGroup { return processGroup{leader: cmd.Process.Pid} }

// recordedGroup is the group that a child recorded under pid leads.
func recordedGroup(pid int) processGroup { return processGroup{leader: pid} }

// alive reports whether a process of the group still runs.
func (g processGroup) alive() bool {
	if !g.ours() || errors.Is(syscall.Kill(-g.leader, 0), syscall.ESRCH) {
		return false
	}
	return groupRuns(g.leader)
}

// terminate asks the group to end and reports whether asking is possible.
func (g processGroup) terminate() bool { return g.signal(syscall.SIGTERM) }

func (g processGroup) kill() { g.signal(syscall.SIGKILL) }

func (g processGroup) release() {}

func (g processGroup) signal(s syscall.Signal) bool {
	return g.ours() && syscall.Kill(-g.leader, s) == nil
}

// ours guards against the numbers that mean "everyone" to kill(2), and against
// our own group.
func (g processGroup) ours() bool {
	return g.leader > 1 && g.leader != os.Getpid() && g.leader != syscall.Getpgrp()
}

// connRefused is what dialing a port without listener returns.
const connRefused = syscall.ECONNREFUSED

// connReset is what reading from a connection that the peer aborted returns.
const connReset = syscall.ECONNRESET
