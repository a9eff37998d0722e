package upstream

import (
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// processGroup is a Job Object that ends its processes when its last handle is
// closed, which the kernel does for a killed proxy. Without a job it is one
// process.
type processGroup struct {
	job windows.Handle
	pid int
}

// prepareGroup keeps Ctrl-C of our console from the child.
func prepareGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.HideWindow = true
	cmd.SysProcAttr.CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP
}

// adoptGroup puts the child into a new job. What the child started in the
// microseconds before is not in it.
func adoptGroup(cmd *exec.Cmd) processGroup {
	g := processGroup{pid: cmd.Process.Pid}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		err = assign(job, g.pid)
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return g
	}
	g.job = job
	return g
}

func assign(job windows.Handle, pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	return windows.AssignProcessToJobObject(job, h)
}

// recordedGroup is the process that was recorded under pid: its job ended with
// the proxy that held it.
func recordedGroup(pid int) processGroup { return processGroup{pid: pid} }

// basicAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
type basicAccounting struct {
	userTime, kernelTime, periodUserTime, periodKernelTime int64
	pageFaults, total, active, terminated                  uint32
}

// alive reports whether a process of the group still runs, or nobody can tell.
func (g processGroup) alive() bool {
	if g.job == 0 {
		return processRuns(g.pid)
	}
	var info basicAccounting
	err := windows.QueryInformationJobObject(g.job, windows.JobObjectBasicAccountingInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	return err != nil || info.active > 0
}

// terminate reports that Windows has no way to ask.
func (g processGroup) terminate() bool { return false }

func (g processGroup) kill() {
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1)
		return
	}
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(g.pid))
	if err != nil {
		return
	}
	_ = windows.TerminateProcess(h, 1)
	_ = windows.CloseHandle(h)
}

func (g processGroup) release() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

// connRefused is what dialing a port without listener returns.
const connRefused = windows.WSAECONNREFUSED

// connReset is what reading from a connection that the peer aborted returns.
const connReset = windows.WSAECONNRESET
