package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"go.uber.org/zap"

	"mcpproxy/internal/config"
)

// listen opens every address of the configuration. With port 0 the first
// address chooses and the others follow.
func (a *App) listen() ([]net.Listener, error) {
	var open []net.Listener
	for _, addr := range config.ListenAddrs(a.listenAddr()) {
		if host, port, err := net.SplitHostPort(addr); err == nil && port == "0" && len(open) > 0 {
			_, port, _ = net.SplitHostPort(open[0].Addr().String())
			addr = net.JoinHostPort(host, port)
		}
		l, err := net.Listen(network(addr), addr)
		if err != nil {
			if len(open) > 0 && unavailable(err) {
				a.log.Debug("no IPv6 loopback here", zap.String("addr", addr))
				continue
			}
			closeAll(open)
			return nil, fmt.Errorf("listen on %s: %w\nhint: choose another address with --listen, such as --listen :8081", addr, err)
		}
		open = append(open, l)
	}
	return open, nil
}

// network keeps an IPv4 literal to IPv4: Go would bind 0.0.0.0 for IPv6 too.
func network(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); err == nil && bad == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// unavailable reports whether the machine has no such address at all, as one
// without IPv6.
func unavailable(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// endpointNow is the URL for an IDE, or "" before the listener is open.
func (a *App) endpointNow() string {
	if e := a.endpoint.Load(); e != nil {
		return *e
	}
	return ""
}

// endpointURL is what an IDE on this machine is given. An address that stands
// for all of them has no name of its own.
func endpointURL(addr net.Addr, loopback bool) string {
	bound, err := netip.ParseAddrPort(addr.String())
	if err == nil && (loopback || bound.Addr().IsUnspecified()) {
		return fmt.Sprintf("http://localhost:%d/mcp/", bound.Port())
	}
	return "http://" + addr.String() + "/mcp/"
}

// listenAddr is the flag's address, else the file's.
func (a *App) listenAddr() string {
	if a.opt.Listen != "" {
		return a.opt.Listen
	}
	return a.inForce.Load().Listen
}
