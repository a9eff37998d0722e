package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Limits of one request to an authorization server.
const (
	maxBody        = 512 << 10 // of metadata, registrations and tokens
	maxRedirects   = 3
	requestTimeout = 15 * time.Second
	connectTimeout = 10 * time.Second
	eventStream    = "text/event-stream"
)

// fetcher sends the requests of one server's login. Safe for concurrent use.
type fetcher struct {
	guard  *guard
	own    string          // URL of the MCP server
	direct *http.Transport // dials checked addresses only
	proxy  *http.Transport // of the environment: it resolves names itself
}

func newFetcher(g *guard) *fetcher {
	f := &fetcher{guard: g}
	f.direct = &http.Transport{DialContext: f.dial, TLSHandshakeTimeout: connectTimeout, ForceAttemptHTTP2: true,
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	f.proxy = &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: connectTimeout,
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	return f
}

// dial resolves, checks, and connects to an address that it checked: between
// check and connection no name is looked up again.
func (f *fetcher) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	addrs, err := f.guard.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: its host has no address", ErrUnsafeURL)
	for _, a := range addrs {
		if refused := f.allows(host, a); refused != nil {
			err = refused
			continue
		}
		d := net.Dialer{Timeout: connectTimeout}
		conn, failed := d.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if failed == nil {
			return conn, nil
		}
		err = failed
	}
	return nil, err
}

// allows is the guard's verdict on the address a of host. A name of this machine
// must mean this machine: http is used for it.
func (f *fetcher) allows(host string, a netip.Addr) error {
	if isLocalName(host) && reachOf(a) != loopback {
		return fmt.Errorf("%w: a name of this machine leads elsewhere", ErrUnsafeURL)
	}
	return f.guard.allows(a)
}

// RoundTrip implements [http.RoundTripper]: no request leaves unchecked, those
// of redirects included.
func (f *fetcher) RoundTrip(req *http.Request) (*http.Response, error) {
	if text := req.URL.String(); text != f.own { // a person chose that one
		if _, err := f.guard.check(text); err != nil {
			return nil, err
		}
	}
	through, err := http.ProxyFromEnvironment(req)
	if err == nil && through != nil {
		if err := f.guard.resolves(req.Context(), req.URL); err != nil {
			return nil, err
		}
		return f.proxy.RoundTrip(req)
	}
	return f.direct.RoundTrip(req)
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get sends a GET for a document and follows its redirects.
func (f *fetcher) get(req *http.Request) (answer, error) {
	return f.send(req, func(next *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return http.ErrUseLastResponse
		}
		next.Header.Del("Referer")
		return nil
	})
}

// do sends req and follows nothing: neither credentials nor a person's login go
// where an answer points.
func (f *fetcher) do(req *http.Request) (answer, error) {
	return f.send(req, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })
}

// send returns the whole answer, but not the body of an event stream. The error
// is in words that quote nothing foreign.
func (f *fetcher) send(req *http.Request, redirect func(*http.Request, []*http.Request) error) (answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	c := &http.Client{Transport: f, CheckRedirect: redirect}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	origin := &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}
	resp, err := c.Do(req.WithContext(ctx))
	if err != nil {
		return answer{}, plainError(origin, err)
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), eventStream) {
		return got, nil
	}
	got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return answer{}, plainError(origin, err)
	case len(got.body) > maxBody:
		return answer{}, fmt.Errorf("%s answered more than %d KB", origin, maxBody>>10)
	}
	return got, nil
}

// plainError says in plain words why no answer came.
func plainError(origin *url.URL, err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, ErrUnsafeURL):
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", origin, err)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &dns):
		return fmt.Errorf("the host of %s is not known", origin)
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer in time", origin)
	default:
		return fmt.Errorf("%s could not be reached or does not speak HTTP", origin)
	}
}

// getJSON fetches the document at text into v. found is false if there is none.
func (f *fetcher) getJSON(ctx context.Context, text string, v any) (found bool, err error) {
	u, err := f.guard.check(text)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, fmt.Errorf("%w: it is no URL", ErrUnsafeURL)
	}
	req.Header.Set("MCP-Protocol-Version", protocolVersion)
	got, err := f.get(req)
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host}
	switch {
	case err != nil:
		return false, err
	case got.status >= 500 || got.status == http.StatusTooManyRequests:
		return false, fmt.Errorf("%s answered %d", origin, got.status)
	case got.status != http.StatusOK:
		return false, nil
	case json.Unmarshal(got.body, v) != nil:
		return false, nil // such as a page that stands for "not found"
	}
	return true, nil
}
