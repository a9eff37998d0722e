package upstream

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// checkRedirect is [http.Client.CheckRedirect]: RoundTrip checks the target, so
// only the number of redirects and the loss of the body are left.
func (r *remote) checkRedirect(req *http.Request, via []*http.Request) error {
	var err error
	switch {
	case len(via) > maxRedirects:
		err = fmt.Errorf("%s redirects in a circle: check its url", r.origin)
	case req.Method != via[0].Method:
		err = fmt.Errorf("%s redirects to the path %q in a way that loses the request: set that as its url", r.origin, req.URL.Path)
	}
	if err != nil {
		failureOf(req.Context()).set(err)
	}
	return err
}

// permits reports whether a request may go to u: the server's own origin, its
// https twin, or, from https to https, another host of the same site.
func (r *remote) permits(u *url.URL) bool {
	return r.sameOrigin(u) || r.origin.Scheme == "https" && u.Scheme == "https" && sameSite(r.origin.Hostname(), u.Hostname())
}

// sameOrigin reports whether u is at the server itself, by https instead of http
// as well, where both have their usual port.
func (r *remote) sameOrigin(u *url.URL) bool {
	if !strings.EqualFold(u.Hostname(), r.origin.Hostname()) {
		return false
	}
	upgraded := r.origin.Scheme == "http" && u.Scheme == "https" && portOf(r.origin) == "80" && portOf(u) == "443"
	return upgraded || u.Scheme == r.origin.Scheme && portOf(u) == portOf(r.origin)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// sameSite reports whether two host names belong to one registered domain.
func sameSite(a, b string) bool {
	if isAddr(a) || isAddr(b) {
		return false
	}
	siteA, errA := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	siteB, errB := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return errA == nil && errB == nil && siteA == siteB
}

func isAddr(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func (r *remote) redirectError(u *url.URL) error {
	target := &url.URL{Scheme: u.Scheme, Host: u.Host}
	return fmt.Errorf("%s points to another server (%s), which is not followed: set that as its url if you trust it", r.origin, target)
}
