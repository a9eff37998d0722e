package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// protocolVersion is the MCP revision that discovery speaks.
const protocolVersion = "2025-11-25"

// maxServers is how many authorization servers of one resource are tried.
const maxServers = 3

// resourceMetadata is the part of RFC 9728 that a client needs.
type resourceMetadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// serverMetadata is the part of RFC 8414 that a client needs.
type serverMetadata struct {
	Issuer           string   `json:"issuer"`
	Authorize        string   `json:"authorization_endpoint"`
	Token            string   `json:"token_endpoint"`
	Register         string   `json:"registration_endpoint"`
	Revoke           string   `json:"revocation_endpoint"`
	AuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	Scopes           []string `json:"scopes_supported"`
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
	Issues           bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	ClientDocuments  bool     `json:"client_id_metadata_document_supported"`

	guessed bool // there are no metadata: the endpoints of MCP 2025-03-26
}

// found is all that a login needs to know of the other side.
type found struct {
	resource string   // RFC 8707: what the token is for
	scopes   []string // supported by the resource
	server   serverMetadata
}

// discover finds the authorization server of the MCP server at u. hint is the
// resource_metadata of its challenge, or empty. The error wraps ErrMetadata,
// ErrUnsafeURL or ErrNoLogin.
func (f *fetcher) discover(ctx context.Context, u *url.URL, hint string) (*found, error) {
	prm, err := f.resource(ctx, u, hint)
	if err != nil {
		return nil, fmt.Errorf("protected resource metadata: %w", err)
	}
	if prm == nil {
		return f.legacy(ctx, u)
	}
	var faults []error
	for _, issuer := range prm.Servers[:min(len(prm.Servers), maxServers)] {
		m, err := f.server(ctx, issuer)
		if err == nil {
			return &found{resource: prm.Resource, scopes: prm.Scopes, server: *m}, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...)
}

// resource fetches the protected resource metadata: from hint if there is one,
// else from the well-known path of u, else of its root. Nil means that there are
// none.
func (f *fetcher) resource(ctx context.Context, u *url.URL, hint string) (*resourceMetadata, error) {
	places := []string{hint}
	if hint == "" {
		places = []string{wellKnown(u, "oauth-protected-resource")}
		if root := wellKnown(&url.URL{Scheme: u.Scheme, Host: u.Host}, "oauth-protected-resource"); root != places[0] {
			places = append(places, root)
		}
	}
	for _, place := range places {
		var m resourceMetadata
		ok, err := f.getJSON(ctx, place, &m)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			continue
		case !covers(m.Resource, u):
			return nil, fmt.Errorf("%w: they are for another resource than this server", ErrMetadata)
		case len(m.Servers) == 0:
			return nil, fmt.Errorf("%w: they name no authorization server", ErrMetadata)
		}
		return &m, nil
	}
	if hint != "" {
		return nil, fmt.Errorf("%w: the server points to a document that is not there", ErrMetadata)
	}
	return nil, nil
}

// wellKnown inserts /.well-known/name between host and path (RFC 8414, section 3.1).
func wellKnown(u *url.URL, name string) string {
	root := url.URL{Scheme: u.Scheme, Host: u.Host}
	return root.String() + "/.well-known/" + name + strings.TrimSuffix(u.EscapedPath(), "/")
}

// covers reports whether the resource identifier is that of u: equal, or a
// folder above it, as servers have it that protect a whole host.
func covers(resource string, u *url.URL) bool {
	r, err := url.Parse(resource)
	if err != nil || r.User != nil || r.Fragment != "" || !strings.EqualFold(r.Scheme, u.Scheme) || !sameHost(r, u) {
		return false
	}
	if r.RawQuery != "" && r.RawQuery != u.RawQuery {
		return false
	}
	at, under := strings.TrimSuffix(r.EscapedPath(), "/"), strings.TrimSuffix(u.EscapedPath(), "/")
	return at == under || strings.HasPrefix(under, at+"/")
}

func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if u.Port() == "" {
			return map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
		}
		return u.Port()
	}
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// server fetches and checks the metadata of an issuer, at the places of RFC 8414
// and of OpenID Connect Discovery.
func (f *fetcher) server(ctx context.Context, issuer string) (*serverMetadata, error) {
	u, err := f.guard.check(issuer)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	places := []string{wellKnown(u, "oauth-authorization-server"), wellKnown(u, "openid-configuration")}
	if path := strings.TrimSuffix(u.EscapedPath(), "/"); path != "" {
		places = append(places, (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()+path+"/.well-known/openid-configuration")
	}
	for _, place := range places {
		var m serverMetadata
		ok, err := f.getJSON(ctx, place, &m)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
		}
		if !ok {
			continue
		}
		if strings.TrimSuffix(m.Issuer, "/") != strings.TrimSuffix(issuer, "/") { // RFC 8414, section 3.3
			return nil, fmt.Errorf("%w: those of %s say that they are another issuer's", ErrMetadata, u.Host)
		}
		return &m, m.check(f.guard)
	}
	return nil, fmt.Errorf("%w: %s publishes none", ErrMetadata, u.Host)
}

// check looks at every endpoint.
func (m *serverMetadata) check(g *guard) error {
	for _, e := range []struct {
		name, url string
		needed    bool
	}{
		{"authorization_endpoint", m.Authorize, true}, {"token_endpoint", m.Token, true},
		{"registration_endpoint", m.Register, false}, {"revocation_endpoint", m.Revoke, false},
	} {
		if e.url == "" && !e.needed {
			continue
		}
		if _, err := g.check(e.url); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// provesPKCE reports whether the server can do PKCE with S256. A client must not
// go on where the metadata do not say so.
func (m *serverMetadata) provesPKCE() bool {
	return m.guessed || slices.Contains(m.ChallengeMethods, "S256")
}

// legacy finds the authorization server as MCP 2025-03-26 has it: at the root of
// the MCP server, with metadata or with the usual paths.
func (f *fetcher) legacy(ctx context.Context, u *url.URL) (*found, error) {
	root := (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath} // a query may hold a secret
	out := &found{resource: bare.String()}
	ok, err := f.getJSON(ctx, root+"/.well-known/oauth-authorization-server", &out.server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if ok && out.server.Authorize != "" {
		issuer, err := url.Parse(out.server.Issuer)
		if err != nil || !sameHost(issuer, u) {
			return nil, fmt.Errorf("%w: those of %s say that they are another issuer's", ErrMetadata, u.Host)
		}
		return out, out.server.check(f.guard)
	}
	if _, err := f.guard.check(root + "/authorize"); err != nil {
		return nil, err
	}
	out.server = serverMetadata{Issuer: root, Authorize: root + "/authorize", Token: root + "/token", Register: root + "/register", guessed: true}
	return out, nil
}
