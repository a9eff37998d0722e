package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files of a data directory by which client and instance find each other.
const (
	SocketFile  = "mcpproxy.sock"
	AddressFile = "api_addr" // see [Address]; only where SocketFile is not used
	KeyFile     = "api_key"
)

// Address is where an instance answers locally: Network is unix or tcp. In its
// file it is one line, "unix /run/user/1000/mcpproxy-1/s".
type Address struct{ Network, Addr string }

// String is the line of the file.
func (a Address) String() string { return a.Network + " " + a.Addr }

// LocalAddress returns where an instance on dataDir is to be found, whether or
// not one runs. It returns an error wrapping [fs.ErrNotExist] if none ever ran.
func LocalAddress(dataDir string) (Address, error) {
	text, err := os.ReadFile(filepath.Join(dataDir, AddressFile))
	if errors.Is(err, fs.ErrNotExist) {
		socket := filepath.Join(dataDir, SocketFile)
		if _, err := os.Lstat(socket); err != nil {
			return Address{}, err
		}
		return Address{Network: "unix", Addr: socket}, nil
	}
	if err != nil {
		return Address{}, err
	}
	network, addr, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok || network != "unix" && network != "tcp" {
		return Address{}, fmt.Errorf("%s in %s is damaged; restart mcpproxy serve", AddressFile, dataDir)
	}
	return Address{Network: network, Addr: addr}, nil
}

// Proof shows, without sending it, that its maker has the key: HMAC-SHA-256 of
// the challenge, in hex. A client asks for it before it sends the key to a
// loopback port, which anyone may have taken since.
func Proof(key, challenge string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("mcpproxy instance " + challenge))
	return hex.EncodeToString(mac.Sum(nil))
}
