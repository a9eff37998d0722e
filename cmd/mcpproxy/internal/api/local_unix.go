//go:build !windows

package api

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"mcpproxy/internal/client"
)

// maxSocketPath is the shortest sun_path of the systems we serve (macOS, 104
// bytes) less its terminating zero.
const maxSocketPath = 103

func listenLocal(dataDir string) (net.Listener, string, error) {
	if err := sweep(dataDir); err != nil {
		return nil, "", err
	}
	path := filepath.Join(dataDir, client.SocketFile)
	private := ""
	if len(path) > maxSocketPath {
		var err error
		if private, err = privateDir(); err != nil {
			return nil, "", err
		}
		path = filepath.Join(private, "s")
	}
	cleanup := func() {
		if private != "" {
			_ = forget(dataDir)
			_ = os.Remove(private)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		cleanup()
		return nil, "", err
	}
	local := &localListener{Listener: peerListener{l.(*net.UnixListener)}, cleanup: cleanup}
	err = os.Chmod(path, 0o600) // nobody else could pass the directory before either
	if err == nil && private != "" {
		err = record(dataDir, client.Address{Network: "unix", Addr: path})
	}
	if err != nil {
		return nil, "", errors.Join(err, local.Close())
	}
	return local, path, nil
}

// privateDir makes a 0700 directory whose path is short.
func privateDir() (string, error) {
	var errs []error
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if !filepath.IsAbs(base) || len(base) > maxSocketPath-len("/mcpproxy-1234567890/s") {
			continue
		}
		dir, err := os.MkdirTemp(base, "mcpproxy-")
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(append(errs, errors.New("no directory with a short path"))...)
}

// sweep removes what an instance that was killed left behind. A socket on which
// anybody answers is left alone.
func sweep(dataDir string) error {
	old, err := client.LocalAddress(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || old.Network != "unix" { // a damaged record
		return forget(dataDir)
	}
	info, err := os.Lstat(old.Addr)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return forget(dataDir)
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New(old.Addr + " is not a socket; move it away")
	case answered(old):
		return ErrAnswered
	}
	if err := os.Remove(old.Addr); err != nil {
		return err
	}
	if dir := filepath.Dir(old.Addr); dir != dataDir {
		_ = os.Remove(dir) // only if empty
	}
	return forget(dataDir)
}

// answered reports whether anybody accepts connections at addr.
func answered(addr client.Address) bool {
	conn, err := net.DialTimeout(addr.Network, addr.Addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// peerListener accepts only processes of the same user, and of root, whom no
// file mode keeps out either.
type peerListener struct{ *net.UnixListener }

func (l peerListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peerUID(conn)
		if err == nil && (uid == os.Geteuid() || uid == 0) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// peerUID asks the kernel who is at the other end.
func peerUID(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var uid int
	var failed error
	err = raw.Control(func(fd uintptr) { uid, failed = credentials(int(fd)) })
	return uid, errors.Join(err, failed)
}
