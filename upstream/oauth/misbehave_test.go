package oauth

import (
	"compress/gzip"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What an authorization server, or a server that names one, may do wrong. None of
// it logs in; what can be seen beforehand opens no browser.
func TestLogin_RefusesWhatServersDoWrong(t *testing.T) {
	t.Parallel()
	const metadata = "http://169.254.169.254/latest/meta-data"
	answer := func(status int, body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(body))
		}
	}
	prm := func(key string, value any) func(*world) {
		return func(w *world) { w.prm = func(m map[string]any) { m[key] = value } }
	}
	meta := func(key string, value any) func(*world) {
		return func(w *world) { w.meta = func(m map[string]any) { m[key] = value } }
	}
	route := func(path string, h http.HandlerFunc) func(*world) { return func(w *world) { w.routes[path] = h } }
	browser := func(key string, values ...string) func(*world) {
		return func(w *world) { w.authorize = func(q url.Values) url.Values { q[key] = values; return q } }
	}
	token := func(key string, value any) func(*world) {
		return func(w *world) { w.token = func(_ url.Values, m map[string]any) int { m[key] = value; return 0 } }
	}
	circle := func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, r.URL.String()+"x", http.StatusFound)
	}
	const prmPath, metaPath = "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"
	for _, c := range []struct {
		name   string
		bend   func(*world)
		want   error
		opened bool // the fault shows only after the browser
		page   string
	}{
		{"resource of another host", prm("resource", "https://evil.example/mcp"), ErrMetadata, false, ""},
		{"resource beside the path", func(w *world) { w.prm = func(m map[string]any) { m["resource"] = w.srv.URL + "/mc" } }, ErrMetadata, false, ""},
		{"no authorization server", prm("authorization_servers", []string{}), ErrMetadata, false, ""},
		{"authorization server on the metadata address", prm("authorization_servers", []string{metadata}), ErrUnsafeURL, false, ""},
		{"challenge to the metadata address", func(w *world) { w.challenge = `Bearer resource_metadata="` + metadata + `"` }, ErrUnsafeURL, false, ""},
		{"challenge to a file", func(w *world) { w.challenge = `Bearer resource_metadata="file:///etc/passwd"` }, ErrUnsafeURL, false, ""},
		{"challenge to nowhere", func(w *world) { w.challenge = `Bearer resource_metadata="` + w.srv.URL + `/nowhere"` }, ErrMetadata, false, ""},
		{"metadata redirect to the metadata address", route(metaPath, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, metadata, http.StatusFound) }), ErrUnsafeURL, false, ""},
		{"metadata redirect to a file", route(prmPath, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", "file:///etc/passwd")
			rw.WriteHeader(302)
		}), nil, false, ""},
		{"endless redirects", route(metaPath, circle), ErrMetadata, false, ""},
		{"huge metadata", route(metaPath, func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte(`{"issuer":"` + strings.Repeat("x", 2<<20) + `"}`))
		}), ErrMetadata, false, ""},
		{"metadata that inflate", route(metaPath, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			for range 4 {
				_, _ = z.Write(make([]byte, 1<<20))
			}
			_ = z.Close()
		}), ErrMetadata, false, ""},
		{"metadata are a page", route(metaPath, answer(200, "<html>")), ErrMetadata, false, ""},
		{"no metadata at all", func(w *world) {
			w.challenge = "Bearer"
			w.routes[prmPath], w.routes[metaPath], w.routes["/register"] = http.NotFound, http.NotFound, http.NotFound
		}, ErrMetadata, false, ""},
		{"metadata fail", route(metaPath, answer(500, "")), ErrMetadata, false, ""},
		{"another issuer", meta("issuer", "https://evil.example"), ErrMetadata, false, ""},
		{"no token endpoint", meta("token_endpoint", ""), ErrUnsafeURL, false, ""},
		{"token endpoint over http", meta("token_endpoint", "http://as.example/token"), ErrUnsafeURL, false, ""},
		{"registration at the metadata address", meta("registration_endpoint", metadata), ErrUnsafeURL, false, ""},
		{"authorize is a script", meta("authorization_endpoint", "javascript:alert(1)"), ErrUnsafeURL, false, ""},
		{"plain PKCE only", meta("code_challenge_methods_supported", []string{"plain"}), ErrMetadata, false, ""},
		{"no word of PKCE", meta("code_challenge_methods_supported", nil), ErrMetadata, false, ""},
		{"clients prove themselves by certificate", meta("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), ErrRegistration, false, ""},
		{"registration fails", route("/register", answer(500, "CANARY")), ErrRegistration, false, ""},
		{"registration refused", route("/register", answer(400, `{"error":"invalid_client_metadata","error_description":"CANARY"}`)), ErrRegistration, false, ""},
		{"registration without a client", route("/register", answer(201, `{}`)), ErrRegistration, false, ""},
		{"registration redirects", route("/register", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/token", http.StatusTemporaryRedirect)
		}), ErrRegistration, false, ""},
		{"no registration", meta("registration_endpoint", ""), ErrRegistration, false, ""},

		{"iss of another", browser("iss", "https://evil.example"), ErrDenied, true, "did not work"},
		{"iss left out", browser("iss", ""), ErrDenied, true, "did not work"},
		{"iss twice", browser("iss", "SELF", "https://evil.example"), ErrTimeout, true, "not waited for"},
		{"state left out", browser("state"), ErrTimeout, true, "not waited for"},
		{"state of another", browser("state", "foreign"), ErrTimeout, true, "not waited for"},
		{"code twice", browser("code", "a", "b"), ErrTimeout, true, "not waited for"},
		{"no code", browser("code"), ErrDenied, true, "did not work"},
		{"an error with markup", func(w *world) {
			w.authorize = func(q url.Values) url.Values {
				q.Del("code")
				q.Set("error", "access_denied")
				q.Set("error_description", "<script>alert('CANARY')</script>")
				return q
			}
		}, ErrDenied, true, "&lt;script&gt;alert(&#39;CANARY"},
		{"browser sent elsewhere", func(w *world) {
			w.redirect = func(string) string { return w.srv.URL + "/elsewhere" }
		}, ErrTimeout, true, "not found"},
		{"browser sent to another path", func(w *world) {
			w.redirect = func(to string) string { return strings.Replace(to, "/callback", "/other", 1) }
		}, ErrTimeout, true, "not found"},
		{"token of another type", token("token_type", "mac"), ErrTokens, true, "did not work"},
		{"no token type", token("token_type", nil), ErrTokens, true, "did not work"},
		{"no token", token("access_token", nil), ErrTokens, true, "did not work"},
		{"token that splits a header", token("access_token", "a\r\nX-Evil: 1"), ErrTokens, true, "did not work"},
		{"token is an object", token("access_token", map[string]any{}), ErrTokens, true, "did not work"},
		{"error with status 200", token("error", "bad_verification_code"), ErrTokens, true, "did not work"},
		{"token endpoint redirects", route("/token", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		}), ErrTokens, true, "did not work"},
		{"huge token", route("/token", answer(200, `{"access_token":"`+strings.Repeat("x", 2<<20)+`","token_type":"bearer"}`)), ErrTokens, true, "did not work"},
		{"token endpoint fails", route("/token", answer(500, "CANARY")), ErrTokens, true, "did not work"},
		{"code refused", route("/token", answer(400, `{"error":"invalid_grant","error_description":"CANARY"}`)), ErrTokens, true, "did not work"},
		{"client never known", route("/token", answer(401, `{"error":"invalid_client"}`)), ErrTokens, true, "did not work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.bend(w)
			r := newRig(t, w, func(o *Options, _ *Server) {
				if errors.Is(c.want, ErrTimeout) {
					o.Timing.Login = 300 * time.Millisecond
				}
			})
			_, _ = r.call(t.Context()) // for the challenge
			err := r.Login(t.Context(), "srv", false, nil)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("login = %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("error quotes the server: %v", err)
			}
			if got := len(r.opened) > 0; got != c.opened || len(r.opened) > 1 {
				t.Errorf("browser opened %d times, want %v", len(r.opened), c.opened)
			}
			if c.opened {
				if page := <-r.pages; !strings.Contains(page, c.page) {
					t.Errorf("page lacks %q: %s", c.page, page)
				}
			}
			if token, err := r.Token(t.Context(), "srv"); token != "" || err != nil {
				t.Errorf("token in use: %q, %v", token, err)
			}
			if n := w.count("POST /register"); n > 2 {
				t.Errorf("registered %d times", n)
			}
			r.quiet(t)
		})
	}
}
