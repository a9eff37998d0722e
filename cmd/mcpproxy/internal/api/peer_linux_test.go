package api

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// File modes are wide open here, so that the peer's uid alone decides.
func TestLocal_RefusesOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	dir := shortDir(t)
	l, addr, err := ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, New(Options{Service: &fake{}, MCP: echoMCP}), l, Local)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(addr, 0o666)); err != nil {
		t.Fatal(err)
	}
	if answer, err := askAs(t, 65534, addr); err == nil && len(answer) > 0 {
		t.Errorf("another user was answered %q", answer)
	}
	if answer, err := askAs(t, 0, addr); err != nil || len(answer) == 0 {
		t.Errorf("the owner was answered %q, %v", answer, err)
	}
}

// askAs sends a request with the effective uid of another user, which on Linux
// is a matter of one thread.
func askAs(t *testing.T, uid uintptr, addr string) (string, error) {
	t.Helper()
	type result struct {
		answer string
		err    error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uid, ^uintptr(0)); errno != 0 {
			done <- result{err: errno}
			return
		}
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			done <- result{err: err}
			return
		}
		if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: addr}); err != nil {
			done <- result{err: errors.Join(err, syscall.Close(fd))}
			return
		}
		file := os.NewFile(uintptr(fd), addr)
		conn, err := net.FileConn(file)
		_ = file.Close()
		if err != nil {
			done <- result{err: err}
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
		text, err := io.ReadAll(conn)
		done <- result{string(text), err}
	}()
	r := <-done
	return r.answer, r.err
}
