package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"

	"mcpproxy/internal/atomicfile"
	"mcpproxy/internal/client"
)

// ErrAnswered is returned by [ListenLocal] if somebody serves the data
// directory's socket already.
var ErrAnswered = errors.New("another program answers on the local socket")

// ListenLocal opens the listener on which commands reach this instance, and
// returns its address for people: a unix socket (0600) in dataDir, or in a
// private directory elsewhere where dataDir's path is too long for one; on
// Windows a random loopback port. Closing it removes what it made. The caller
// holds the data directory.
func ListenLocal(dataDir string) (net.Listener, string, error) {
	l, addr, err := listenLocal(dataDir)
	if err != nil {
		return nil, "", fmt.Errorf("local socket: %w", err)
	}
	return l, addr, nil
}

// record tells clients an address other than the usual one.
func record(dataDir string, addr client.Address) error {
	return atomicfile.Write(filepath.Join(dataDir, client.AddressFile), []byte(addr.String()+"\n"), 0o600)
}

func forget(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, client.AddressFile)) //nolint:gosec // the data directory is the owner's choice
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// localListener cleans up once when it is closed.
type localListener struct {
	net.Listener
	once    sync.Once
	cleanup func()
}

func (l *localListener) Close() error {
	err := l.Listener.Close()
	l.once.Do(l.cleanup)
	return err
}
