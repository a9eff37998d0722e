//go:build !windows

package api

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

func TestLocal_StaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{
		"short path": shortDir(t),
		"long path":  filepath.Join(shortDir(t), strings.Repeat("d", 120)),
	} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		l, old, err := ListenLocal(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ListenLocal(dir); !errors.Is(err, ErrAnswered) {
			t.Errorf("%s: second ListenLocal = %v, want ErrAnswered", name, err)
		}
		unix := l.(*localListener).Listener.(peerListener).UnixListener
		unix.SetUnlinkOnClose(false) // as after kill -9
		_ = unix.Close()
		again, addr, err := ListenLocal(dir)
		if err != nil {
			t.Fatalf("%s: over a stale socket: %v", name, err)
		}
		if _, err := os.Stat(old); err == nil && old != addr {
			t.Errorf("%s: %s is left behind", name, old)
		}
		_ = again.Close()
	}
}

func TestLocal_NeverRemovesAFile(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	path := filepath.Join(dir, client.SocketFile)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, _, err := ListenLocal(dir); err == nil {
		_ = l.Close()
		t.Error("listened over a file")
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("file = %q", text)
	}
}
