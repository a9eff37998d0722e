package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// CheckListen returns an error if addr cannot be used for listen.
func CheckListen(addr string) error {
	if message := checkListen(addr); message != "" {
		return fmt.Errorf("listen %s", message)
	}
	return nil
}

// ListenAddrs returns the addresses to bind for listen: an empty host means
// 127.0.0.1 and [::1]. With port 0 the second must be bound to the port that the
// first got.
func ListenAddrs(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "" {
		return []string{addr}
	}
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
}

// IsLoopback reports whether only this machine can reach the proxy on listen. A
// host name other than localhost counts as reachable.
func IsLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "" || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func checkListen(s string) string {
	const form = `must be host:port such as ":8080" or "127.0.0.1:8080"`
	host, port, err := net.SplitHostPort(s)
	if err != nil || plain(host) != "" {
		return form
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return form + ", the port from 0 to 65535"
	}
	return ""
}
