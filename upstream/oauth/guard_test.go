package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// hostile are URLs that must reach no browser, no shell and no socket, whatever
// server names them, one on this machine included.
var hostile = map[string]string{
	"empty":                  "",
	"javascript":             "javascript:alert(1)",
	"javascript with host":   "javascript://h/%0aalert(1)",
	"data":                   "data:text/html,<script>alert(1)</script>",
	"file":                   "file:///etc/passwd",
	"file with host":         "file://localhost/etc/passwd",
	"ftp":                    "ftp://h/x",
	"smb":                    `\\h\share`,
	"ms protocol":            "ms-msdt:/id PCWDiagnostic",
	"vbscript":               "vbscript:msgbox(1)",
	"about":                  "about:blank",
	"blob":                   "blob:https://h/x",
	"view-source":            "view-source:https://h/",
	"mailto":                 "mailto:a@h",
	"ssh":                    "ssh://-oProxyCommand=id/x",
	"custom scheme":          "calculator:",
	"no scheme":              "h.example/authorize",
	"scheme relative":        "//h.example/authorize",
	"flag":                   "-flag",
	"long flag":              "--new-window=https://h",
	"flag as host":           "https://-oProxyCommand/x",
	"opaque":                 "https:h.example/authorize",
	"no host":                "https:///authorize",
	"only a port":            "https://:443/authorize",
	"command substitution":   "https://h.example/$(touch${IFS}pwned)",
	"plain substitution":     "https://h.example/a?x=$(id)",
	"backticks":              "https://h.example/`id`",
	"semicolon":              "https://h.example/;id",
	"pipe":                   "https://h.example/|id",
	"caret":                  "https://h.example/^&calc",
	"single quote":           "https://h.example/'id'",
	"double quote":           `https://h.example/"id"`,
	"redirection":            "https://h.example/>x",
	"space":                  "https://h.example/a b",
	"leading space":          " https://h.example/",
	"trailing newline":       "https://h.example/\n",
	"CRLF":                   "https://h.example/\r\nX: y",
	"encoded CRLF":           "https://h.example/%0d%0aX:%20y",
	"encoded NUL":            "https://h.example/%00",
	"encoded escape":         "https://h.example/%1b[2J",
	"NUL":                    "https://h.example/\x00",
	"escape":                 "https://h.example/\x1b[2J",
	"tab":                    "https://h.example/\tx",
	"bad encoding":           "https://h.example/%zz",
	"backslash":              `https://h.example\@evil.example/`,
	"braces":                 "https://h.example/{x}",
	"bidi":                   "https://h.example/\u202efdp",
	"letters of others":      "https://еxample.com/",
	"not UTF-8":              "https://h.example/\xff",
	"user":                   "https://user@h.example/",
	"user and password":      "https://a:b@h.example/",
	"trusted name as user":   "https://github.com@evil.example/",
	"fragment":               "https://h.example/a#frag",
	"empty fragment":         "https://h.example/a#",
	"http elsewhere":         "http://h.example/authorize",
	"http to a private host": "http://192.168.1.1/",
	"http like localhost":    "http://localhost.evil.example/",
	"port zero":              "https://h.example:0/",
	"port too high":          "https://h.example:70000/",
	"port of words":          "https://h.example:https/",
	"empty port":             "https://h.example:/",
	"hexadecimal address":    "https://0x7f.1/",
	"hexadecimal number":     "https://0x7f000001/",
	"decimal address":        "https://2130706433/",
	"octal address":          "https://0177.0.0.1/",
	"short address":          "https://127.1/",
	"address with a dot":     "https://127.0.0.1./",
	"encoded host":           "https://%31%32%37.0.0.1/",
	"metadata service":       "https://169.254.169.254/latest/meta-data",
	"metadata, mapped":       "https://[::ffff:169.254.169.254]/",
	"metadata, mapped hex":   "https://[::ffff:a9fe:a9fe]/",
	"metadata, NAT64":        "https://[64:ff9b::a9fe:a9fe]/",
	"metadata, 6to4":         "https://[2002:a9fe:a9fe::]/",
	"metadata, compatible":   "https://[::a9fe:a9fe]/",
	"metadata of IPv6":       "https://[fe80::1]/",
	"link-local with zone":   "https://[fe80::1%25eth0]/",
	"unspecified":            "https://0.0.0.0/",
	"unspecified of IPv6":    "https://[::]/",
	"this network":           "https://0.1.2.3/",
	"multicast":              "https://224.0.0.1/",
	"broadcast":              "https://255.255.255.255/",
	"empty label":            "https://h..example/",
	"label of marks":         "https://h!.example/",
	"too long":               "https://h.example/" + strings.Repeat("a", 3000),
	"long label":             "https://" + strings.Repeat("a", 64) + ".example/",
}

// local are addresses that a server on the network must not lead to.
var local = []string{
	"https://127.0.0.1/", "https://localhost/", "https://a.localhost/", "https://LOCALHOST./", "http://127.0.0.1/", "http://localhost:8080/",
	"https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://127.255.255.254/",
	"https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://100.64.0.1/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/",
}

func guardOf(most reach) *guard {
	return &guard{most: most, lookup: func(context.Context, string) ([]netip.Addr, error) {
		return nil, errors.New("no name is looked up here")
	}}
}

func TestGuard_RefusesHostileURLs(t *testing.T) {
	t.Parallel()
	if len(hostile) < 60 {
		t.Fatalf("%d URLs", len(hostile))
	}
	for name, text := range hostile {
		for _, most := range []reach{public, private, loopback} {
			if u, err := guardOf(most).check(text); !errors.Is(err, ErrUnsafeURL) {
				t.Errorf("%s: check = %v, %v, want ErrUnsafeURL", name, u, err)
			} else if len(text) > 12 && strings.Contains(err.Error(), text) {
				t.Errorf("%s: the error quotes it: %v", name, err)
			}
		}
	}
	for _, text := range local {
		if _, err := guardOf(public).check(text); !errors.Is(err, ErrUnsafeURL) {
			t.Errorf("public server: check(%s) = %v, want ErrUnsafeURL", text, err)
		}
		if _, err := guardOf(loopback).check(text); err != nil {
			t.Errorf("server on this machine: check(%s) = %v", text, err)
		}
	}
	for _, text := range []string{"https://as.example/authorize", "https://as.example:8443/a/b?tenant=1&x=%20y", "https://xn--bcher-kva.example/",
		"https://93.184.216.34/", "https://[2606:2800:220:1::1]/", "https://login.example.com/~me/+/@org/oauth2,v2.0:authorize"} {
		if _, err := guardOf(public).check(text); err != nil {
			t.Errorf("check(%s) = %v", text, err)
		}
	}
}

// Whatever endpoint a hostile URL stands for, no browser opens and no address
// but the server's own is contacted.
func TestLogin_HostileURLsReachNoBrowser(t *testing.T) {
	t.Parallel()
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, key := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"} {
				if text == "" && strings.HasPrefix(key, "re") {
					continue // it is optional
				}
				w := newWorld(t)
				w.meta = func(m map[string]any) { m[key] = text }
				r := newRig(t, w, nil)
				if err := r.Login(t.Context(), "srv", false, nil); err == nil || len(r.opened) > 0 {
					t.Errorf("%s = %q: login = %v, %d browsers", key, text, err, len(r.opened))
				}
			}
		})
	}
}

func TestGuard_KnowsWhereAServerIs(t *testing.T) {
	t.Parallel()
	names := map[string][]string{
		"public.example": {"93.184.216.34"}, "intranet.example": {"10.1.2.3", "fd00::1"}, "here.example": {"127.0.0.1"},
		"mixed.example": {"127.0.0.1", "93.184.216.34"}, "metadata.example": {"169.254.169.254"}, "unknown.example": nil,
	}
	lookup := func(_ context.Context, host string) (list []netip.Addr, err error) {
		for _, a := range names[host] {
			list = append(list, netip.MustParseAddr(a))
		}
		return list, nil
	}
	for host, want := range map[string]reach{
		"public.example": public, "intranet.example": private, "here.example": loopback, "mixed.example": public, "metadata.example": public,
		"unknown.example": public, "localhost": loopback, "127.0.0.1": loopback, "[::1]": loopback, "192.168.1.1": private, "169.254.169.254": public,
	} {
		u, err := url.Parse("https://" + host + "/mcp")
		if err != nil {
			t.Fatal(err)
		}
		if got := newGuard(t.Context(), u, lookup).most; got != want {
			t.Errorf("%s: reach %d, want %d", host, got, want)
		}
	}
}

// A machine that is offline at first does not take an intranet server for a
// public one for ever.
func TestAccount_ResolvesAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	online := false
	k := New(t.Context(), Options{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		if !online {
			return nil, errors.New("no network")
		}
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
	}})
	defer k.Close()
	k.Apply([]Server{{Name: "srv", URL: "https://intranet.example/mcp"}})
	a, _ := k.account("srv")
	if got := a.fetcher(t.Context()).guard.most; got != public {
		t.Errorf("offline: reach %d, want public", got)
	}
	online = true
	if got := a.fetcher(t.Context()).guard.most; got != private {
		t.Errorf("online: reach %d, want private", got)
	}
}

// A name that leads elsewhere the second time it is looked up is of no use: what
// is checked is what is dialled.
func TestFetcher_DialsTheAddressItChecked(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inside.Close()
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	var asked atomic.Int32
	lookup := func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "mcp.example" || asked.Add(1)%2 == 1 && host == "flip.example" {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	f := newFetcher(newGuard(t.Context(), &url.URL{Scheme: "https", Host: "mcp.example"}, lookup))
	f.direct.TLSClientConfig = inside.Client().Transport.(*http.Transport).TLSClientConfig
	asked.Store(1)
	for _, host := range []string{"inside.example", "flip.example", "inside.example"} {
		var v any
		if _, err := f.getJSON(t.Context(), "https://"+host+port+"/", &v); !errors.Is(err, ErrUnsafeURL) {
			t.Errorf("%s: %v, want ErrUnsafeURL", host, err)
		}
		asked.Store(1)
	}
	if hits.Load() > 0 {
		t.Errorf("the server inside was contacted %d times", hits.Load())
	}
}

func FuzzGuard(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := guardOf(public).check(text)
		if err != nil {
			return
		}
		if again, err := guardOf(public).check(u.String()); err != nil || again.Host != u.Host || u.Scheme != "https" || u.User != nil {
			t.Errorf("check(%q) = %v, which is itself refused: %v", text, u, err)
		}
	})
}
