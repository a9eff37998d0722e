//go:build unix

package desktop

import (
	"os/exec"
	"syscall"
)

// Detach makes cmd outlive this program and its terminal.
func Detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
