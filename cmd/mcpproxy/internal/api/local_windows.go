package api

import (
	"errors"
	"net"

	"mcpproxy/internal/client"
)

// listenLocal has no peer to ask for on Windows: [API.Serve] asks for the key,
// and clients ask for a proof of it before they send it.
func listenLocal(dataDir string) (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	local := &localListener{Listener: l, cleanup: func() { _ = forget(dataDir) }}
	addr := client.Address{Network: "tcp", Addr: l.Addr().String()}
	if err := record(dataDir, addr); err != nil {
		return nil, "", errors.Join(err, local.Close())
	}
	return local, addr.Addr, nil
}
