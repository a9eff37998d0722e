package oauth

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask sends one request to a callback that expects the state "S".
func ask(t *testing.T, c *callback, method, target, host string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.host+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(body)
}

func TestCallback_TakesOneAnswerToOneState(t *testing.T) {
	t.Parallel()
	c, err := listen(t.Context(), "srv", "")
	if err != nil {
		t.Fatal(err)
	}
	c.expect("S")
	for _, bad := range []struct {
		name, method, target, host string
		status                     int
	}{
		{"foreign host", "GET", "/callback?state=S&code=C", "evil.example", 403},
		{"host by name", "GET", "/callback?state=S&code=C", "localhost:" + portOf(c.redirect), 403},
		{"host without port", "GET", "/callback?state=S&code=C", "127.0.0.1", 403},
		{"path", "GET", "/?state=S&code=C", "", 404},
		{"method", "POST", "/callback?state=S&code=C", "", 405},
		{"no state", "GET", "/callback?code=C", "", 400},
		{"empty state", "GET", "/callback?state=&code=C", "", 400},
		{"foreign state", "GET", "/callback?state=X&code=C", "", 400},
		{"state twice", "GET", "/callback?state=S&state=S&code=C", "", 400},
		{"too long", "GET", "/callback?state=S&code=" + strings.Repeat("x", 17<<10), "", 400},
	} {
		if status, _, _ := ask(t, c, bad.method, bad.target, bad.host); status != bad.status {
			t.Errorf("%s: %d, want %d", bad.name, status, bad.status)
		}
	}
	go func() {
		got := <-c.answers
		got.reply <- reply{err: errors.New("code was " + got.code)}
	}()
	status, header, body := ask(t, c, "GET", "/callback?state=S&code=C", "")
	if status != http.StatusBadRequest || !strings.Contains(body, "code was C") {
		t.Errorf("answer = %d %s", status, body)
	}
	policy := header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers = %v", header)
	}
	if status, _, body := ask(t, c, "GET", "/callback?state=S&code=C", ""); status != http.StatusBadRequest || !strings.Contains(body, "not waited for") {
		t.Errorf("second use = %d %s", status, body)
	}
	c.close(t.Context())
	if conn, err := net.DialTimeout("tcp", c.host, time.Second); err == nil {
		_ = conn.Close()
		t.Error("it still listens after close")
	}
}

func TestCallback_TakesAnotherPortIfItsOwnIsTaken(t *testing.T) {
	t.Parallel()
	first, err := listen(t.Context(), "srv", "")
	if err != nil {
		t.Fatal(err)
	}
	defer first.close(t.Context())
	second, err := listen(t.Context(), "srv", first.redirect)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close(t.Context())
	if first.redirect == second.redirect {
		t.Error("two listeners on one port")
	}
}
