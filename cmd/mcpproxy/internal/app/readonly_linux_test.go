package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"mcpproxy/cmd/mcpproxy/internal/doctor"
	"mcpproxy/internal/client"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// TestReadOnly_WhileRunning: the file system of the data directory becomes
// read-only under a running program, as after an error of the disk. What is
// approved goes on, nothing new is, and status and doctor say why.
func TestReadOnly_WhileRunning(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the filter of system calls is written for little-endian amd64 and arm64")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperReadOnly$", "-test.v")
	cmd.Env = append(os.Environ(), "MCPPROXY_READ_ONLY=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "it went on") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestHelperReadOnly is the process of TestReadOnly_WhileRunning. It ends at
// once: a filter of system calls is for life.
func TestHelperReadOnly(t *testing.T) {
	if os.Getenv("MCPPROXY_READ_ONLY") == "" {
		t.Skip("helper of TestReadOnly_WhileRunning")
	}
	r := newRig(t)
	s := &upstreamtest.Server{Script: upstreamtest.Script{Tools: []json.RawMessage{versionOf(1)}}}
	r.serve("s", upstream.HTTP, s)
	r.start()
	r.approve("s")
	r.synced("s")
	agent := r.agent()
	r.shownTo(agent, 1)
	if raw, err := callPlain(t, agent); err != nil {
		t.Fatalf("before: %s, %v", raw, err)
	}
	if st, err := r.person.Status(t.Context()); err != nil || st.StorageError != "" {
		t.Fatalf("before: status says %q, %v", st.StorageError, err)
	}
	makeReadOnly(t, r.dir)
	if raw, err := callPlain(t, agent); err != nil {
		t.Fatalf("what is approved: %s, %v", raw, err)
	}
	_, late := r.changesUnwritten(s)
	if raw, err := callPlain(t, agent); err == nil && !strings.Contains(string(raw), "held") {
		t.Fatalf("what changed is called: %s", raw)
	}
	if err := r.app.gate.Check(late.ID, late.Hash()); err == nil {
		t.Fatal("it serves, though it cannot be approved")
	}
	r.saysReadOnly()
	if t.Failed() {
		os.Exit(1)
	}
	fmt.Println("it went on")
	os.Exit(0)
}

// changesUnwritten changes the tool and adds one, and tries to approve both.
func (r *rig) changesUnwritten(s *upstreamtest.Server) (changed, late tool.Tool) {
	r.t.Helper()
	raw := upstreamtest.Tool("late")
	s.SetTools([]json.RawMessage{versionOf(2), raw})
	for _, def := range []json.RawMessage{versionOf(2), raw} {
		d, err := tool.Decode("s", def)
		if err != nil {
			r.t.Fatal(err)
		}
		changed, late = late, d
	}
	old, err := tool.Decode("s", versionOf(1))
	if err != nil {
		r.t.Fatal(err)
	}
	r.wait("the change to be held", func() error {
		if r.app.gate.Check(old.ID, old.Hash()) == nil {
			return errNotYet
		}
		return nil
	})
	for _, d := range []tool.Tool{changed, late} {
		if err := r.app.gate.Approve(d.ID, d.Hash()); err == nil {
			r.t.Fatalf("%s is approved", d.ID)
		}
	}
	return changed, late
}

func (r *rig) saysReadOnly() {
	r.t.Helper()
	st, err := r.person.Status(r.t.Context())
	if err != nil || !strings.Contains(st.StorageError, "cannot be written") {
		r.t.Errorf("status says %q, %v", st.StorageError, err)
	}
	found := doctor.Examine(context.Background(), doctor.Options{DataDir: r.dir, ConfigPath: filepath.Join(r.dir, "mcp_config.json"), Version: "test",
		Instance: func() (*client.Client, error) { return r.person, nil }})
	for _, id := range []string{"files.read_only", "storage.failing"} {
		if !slices.ContainsFunc(found, func(f doctor.Finding) bool { return f.Code == id && f.Level == doctor.Error }) {
			r.t.Errorf("doctor has no %s: %+v", id, found)
		}
	}
}

// makeReadOnly has the kernel refuse this process, in every thread and for good,
// to write, make, move or remove files, with EROFS; sockets and pipes are left
// alone. A real remount is not possible while files are open for writing.
func makeReadOnly(t *testing.T, dir string) {
	t.Helper()
	filter := readOnlyFilter(writersOf(t, dir))
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		t.Fatal(errno)
	}
	if _, err := os.CreateTemp(dir, "x"); err == nil {
		t.Fatal("it can still be written")
	}
}

// writersOf returns our descriptors of files below dir.
func writersOf(t *testing.T, dir string) (fds []uint32) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if n, err := strconv.Atoi(e.Name()); err == nil && strings.HasPrefix(path, dir) {
			fds = append(fds, uint32(n))
		}
	}
	return fds
}

// readOnlyFilter is a program of seccomp(2) over struct seccomp_data: the number
// of the call is at 0, its arguments from 16 on.
func readOnlyFilter(fds []uint32) []unix.SockFilter {
	const refuse, allow = unix.SECCOMP_RET_ERRNO | uint32(unix.EROFS), uint32(unix.SECCOMP_RET_ALLOW)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	skipUnless := func(k uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jf: n}
	}
	end := func(how uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: how} }
	f := []unix.SockFilter{load(0)}
	for _, call := range []uint32{unix.SYS_PWRITE64, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_FCHMODAT} {
		f = append(f, skipUnless(call, 1), end(refuse))
	}
	writing := unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT, Jf: 1}
	f = append(f, skipUnless(unix.SYS_OPENAT, 4), load(32), writing, end(refuse), end(allow))
	f = append(f, skipUnless(unix.SYS_WRITE, uint8(1+2*len(fds))), load(16))
	for _, fd := range fds {
		f = append(f, skipUnless(fd, 1), end(refuse))
	}
	return append(f, end(allow))
}
