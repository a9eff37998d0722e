package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL is the longest URL out of metadata, in bytes.
const maxURL = 2048

// reach is how far into a network an address lies.
type reach int

const (
	public   reach = iota
	private        // RFC 1918, RFC 4193, RFC 6598
	loopback       // this machine
	never          // link-local with the metadata services, multicast, unspecified
)

// guard decides which URLs and addresses may be used on behalf of one server: a
// public server leads to public addresses only, a private one to private ones
// too, one on this machine to all but those that are never used.
type guard struct {
	most   reach
	found  bool // the server's host is known; else it counts as public
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

type resolver = func(ctx context.Context, host string) ([]netip.Addr, error)

func systemResolver(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// newGuard returns the guard for the server at u, which a person configured. A
// name counts as local only if all of its addresses are.
func newGuard(ctx context.Context, u *url.URL, lookup resolver) *guard {
	g := &guard{lookup: lookup}
	if isLocalName(u.Hostname()) {
		g.most, g.found = loopback, true
		return g
	}
	addrs, err := g.addresses(ctx, u.Hostname())
	if err != nil || len(addrs) == 0 {
		return g
	}
	g.most, g.found = loopback, true
	for _, a := range addrs {
		if r := reachOf(a); r == never {
			g.most = public
		} else {
			g.most = min(g.most, r)
		}
	}
	return g
}

// addresses returns what host, a name or a literal, stands for.
func (g *guard) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return g.lookup(ctx, host)
}

// allows returns an error wrapping ErrUnsafeURL unless a may be connected to.
func (g *guard) allows(a netip.Addr) error {
	if r := reachOf(a); r > g.most {
		return fmt.Errorf("%w: it leads to %s, which only a server of that network may name", ErrUnsafeURL, a)
	}
	return nil
}

func reachOf(a netip.Addr) reach {
	a = a.Unmap()
	switch {
	case !a.IsValid(), a.Zone() != "", a.IsUnspecified(), a.IsLinkLocalUnicast(), a.IsMulticast(),
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255}), inAny(a, forbidden):
		return never
	case a.IsLoopback():
		return loopback
	case a.IsPrivate(), inAny(a, shared):
		return private
	default:
		return public
	}
}

var (
	// shared is carrier-grade NAT (RFC 6598).
	shared = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10")}
	// forbidden holds "this network", IETF and benchmark ranges, the former site-local
	// range, and the prefixes that carry an IPv4 address inside (NAT64, 6to4, Teredo,
	// IPv4-compatible).
	forbidden = prefixes("0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func inAny(a netip.Addr, list []netip.Prefix) bool {
	if a == netip.IPv6Loopback() {
		return false
	}
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// check parses a URL out of metadata. It must be https, or http at a loopback
// host, with a plain host, without user, fragment and anything that a shell, a
// terminal or a log could take for more than text. What its host stands for is
// checked again when it is connected to. The error wraps ErrUnsafeURL and does
// not quote text.
func (g *guard) check(text string) (*url.URL, error) {
	fault := func(why string) (*url.URL, error) { return nil, fmt.Errorf("%w: %s", ErrUnsafeURL, why) }
	switch {
	case text == "":
		return fault("it is empty")
	case len(text) > maxURL:
		return fault("it is too long")
	case strings.ContainsFunc(text, func(r rune) bool { return !plainInURL(r) }):
		return fault("it has characters that no endpoint needs")
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return fault("it is no URL")
	}
	if unescaped, err := url.QueryUnescape(text); err != nil || strings.ContainsFunc(unescaped, isControl) {
		return fault("it hides control characters")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fault("only http and https are used")
	case u.User != nil:
		return fault("it holds a user name")
	case strings.Contains(text, "#"):
		return fault("it has a fragment")
	}
	if err := checkHost(u); err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !isLoopbackHost(u.Hostname()) {
		return fault("http is for this machine only, everything else needs https")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return u, g.allows(a)
	}
	if isLocalName(u.Hostname()) && g.most != loopback {
		return fault("it leads to this machine")
	}
	return u, nil
}

// resolves returns an error wrapping ErrUnsafeURL if the host of u leads to an
// address that is not allowed. A name that nobody knows is harmless.
func (g *guard) resolves(ctx context.Context, u *url.URL) error {
	addrs, err := g.addresses(ctx, u.Hostname())
	if err != nil {
		return nil //nolint:nilerr // there is nothing behind it that could be reached
	}
	var faults []error
	for _, a := range addrs {
		faults = append(faults, g.allows(a))
	}
	return errors.Join(faults...)
}

// plainInURL keeps to letters, digits and the marks that endpoints are made of.
func plainInURL(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~:/?#[]@!&=+,%", r)
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// checkHost lets through names of letters, digits and hyphens, and addresses in
// their usual form: not 0x7f.1, 2130706433 or 127.1, which systems read as
// addresses of their own choice.
func checkHost(u *url.URL) error {
	host := u.Hostname()
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%w: its port is not valid", ErrUnsafeURL)
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("%w: its port is not valid", ErrUnsafeURL)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" || a.Is4() && strings.Contains(u.Host, "[") {
			return fmt.Errorf("%w: its host is not valid", ErrUnsafeURL)
		}
		return nil
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label || strings.ContainsFunc(label, notHostRune) {
			return fmt.Errorf("%w: its host is not valid", ErrUnsafeURL)
		}
	}
	last := strings.ToLower(labels[len(labels)-1])
	if _, err := strconv.ParseUint(last, 10, 64); err == nil || strings.HasPrefix(last, "0x") || len(host) > 253 {
		return fmt.Errorf("%w: its host is not valid", ErrUnsafeURL)
	}
	return nil
}

func notHostRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// isLoopbackHost reports whether the text of a host is this machine.
func isLoopbackHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback() || isLocalName(host)
}

// isLocalName reports whether host is a name of this machine (RFC 6761).
func isLocalName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
