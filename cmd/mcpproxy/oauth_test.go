package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/client"
	"mcpproxy/internal/hint"
	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream/upstreamtest"
)

// browse is the xdg-open of the tests: it notes its arguments in $BROWSER_LOG and
// follows the address as a browser would.
func browse() {
	if log := os.Getenv("BROWSER_LOG"); log != "" {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			fmt.Fprintf(f, "%q\n", os.Args[1:])
			_ = f.Close()
		}
	}
	if err := visit(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// visit opens a page, with cookies, and returns an error unless it ends well.
func visit(page string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	return getBy(&http.Client{Jar: jar, Timeout: 20 * time.Second}, page)
}

// needOAuth skips where the authorization servers of .ci/npm are not installed,
// and fails there if CI_REQUIRE names oauth.
func needOAuth(t *testing.T) peers {
	t.Helper()
	p := needPeers(t)
	if testing.Short() && !realtest.Required("oauth") {
		t.Skip("waits for tokens to expire: leave out -short")
	}
	if _, err := os.Stat(filepath.Join(p.modules, "oidc-provider")); err != nil {
		realtest.Missing(t, "oauth", err, "needs the npm peers of today: npm --prefix .ci/npm ci")
	}
	return p
}

// onDesktop is an environment with a display, the tests' browser, and a keyring
// only where CI lends one: never that of whoever runs the tests.
func onDesktop(t *testing.T) (env []string, tabs func() []string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "browser.log")
	env = []string{"DISPLAY=:99", "BROWSER_LOG=" + log}
	if !realtest.Required("keyring") {
		env = append(env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(t.TempDir(), "no-bus"))
	}
	return env, func() []string {
		said, err := os.ReadFile(log)
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(said)), "\n")
	}
}

// command runs mcpproxy on the instance's directory.
func (in *instance) command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mcpproxy", append(args, "-d", in.dir)...)
	cmd.Env = in.env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	return out.String(), said.String(), err
}

// awaitServer waits until the server is in a state.
func (in *instance) awaitServer(t *testing.T, name, state string) client.Server {
	t.Helper()
	var found client.Server
	realtest.Until(t, name+" to be "+state, func() error {
		out, said, err := in.command(t, "upstream", "list", "-o", "json")
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		var list []client.Server
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return err
		}
		for _, s := range list {
			if s.Name == name && s.State == state {
				found = s
				return get("http://" + in.addr + "/readyz")
			}
		}
		return fmt.Errorf("it is not: %s", out)
	})
	return found
}

// stop ends the instance as a person does.
func (in *instance) stop(t *testing.T) {
	t.Helper()
	if err := in.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := in.cmd.Wait(); err != nil {
		t.Fatalf("serve ended with %v", err)
	}
}

// serveOn is serve with more environment.
func serveOn(t *testing.T, env []string, servers map[string]any) *instance {
	t.Helper()
	in := instanceOn(t, env, servers)
	in.start(t)
	return in
}

// instanceOn is an instance that does not run yet.
func instanceOn(t *testing.T, env []string, servers map[string]any) *instance {
	t.Helper()
	in := &instance{dir: t.TempDir(), addr: freeAddr(t)}
	in.env = append(append(os.Environ(), "HOME="+in.dir, "XDG_STATE_HOME="+in.dir), env...)
	in.url = "http://" + in.addr + "/mcp"
	in.configure(t, servers)
	return in
}

// lines collects what a process says.
type lines struct {
	mu   sync.Mutex
	said []string
}

func (l *lines) read(r io.Reader) {
	for s := bufio.NewScanner(r); s.Scan(); {
		l.mu.Lock()
		l.said = append(l.said, s.Text())
		l.mu.Unlock()
	}
}

func (l *lines) count(prefix string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.said {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// start starts a script and waits for a line that begins with ready.
func (p peers) start(t *testing.T, ready string, env []string, args ...string) *lines {
	t.Helper()
	cmd := exec.Command(p.node, args...)
	cmd.Env = append(os.Environ(), env...)
	pr, pw := io.Pipe()
	cmd.Stdout, cmd.Stderr = pw, pw
	out := &lines{}
	go out.read(pr)
	startProcess(t, cmd)
	t.Cleanup(func() { _ = pw.Close() })
	realtest.Until(t, filepath.Base(args[0]), func() error {
		if out.count(ready) == 0 {
			return fmt.Errorf("said %q", out.said)
		}
		return nil
	})
	return out
}

func portIn(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// The SDK's own OAuth server: a person logs in once and for all.
func TestOAuth_SDKServer(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	mcp, auth := portIn(t, freeAddr(t)), portIn(t, freeAddr(t))
	sdk := p.start(t, "MCP Streamable HTTP Server listening", []string{"MCP_PORT=" + mcp, "MCP_AUTH_PORT=" + auth},
		filepath.Join(p.modules, "@modelcontextprotocol", "sdk", "dist", "esm", "examples", "server", "simpleStreamableHttp.js"), "--oauth")
	env, tabs := onDesktop(t)
	in := serveOn(t, env, map[string]any{"sdk": map[string]any{"url": "http://localhost:" + mcp + "/mcp", "quarantined": false}})

	s := in.awaitServer(t, "sdk", "needs-login")
	if s.Hint != "mcpproxy auth login sdk" || len(tabs()) > 0 {
		t.Errorf("hint %q, %d tabs before anybody asked", s.Hint, len(tabs()))
	}
	out, said, err := in.command(t, "auth", "login", "sdk")
	if err != nil || !strings.Contains(out, "Logged in at sdk") || !strings.Contains(said, "http://localhost:"+auth+"/authorize?") {
		t.Fatalf("auth login = %v\n%s%s", err, out, said)
	}
	if got := tabs(); len(got) != 1 || !strings.HasPrefix(got[0], `["http://localhost:`+auth) || strings.Contains(got[0], `" "`) {
		t.Errorf("the browser was started with %q, want one argument", got)
	}
	in.awaitServer(t, "sdk", "ready")
	if got := newAgent(t, in).call("call_tool_destructive", "sdk:greet", map[string]any{"name": "Ada"}); !strings.Contains(got, "Ada") {
		t.Errorf("greet = %q", got)
	}
	out, _, err = in.command(t, "auth", "status", "-o", "json")
	var list []client.Login
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list) != 1 || list[0].State != "logged in" || list[0].Scope != "mcp:tools" {
		t.Errorf("auth status = %v %s", err, out)
	}
	in.stop(t)
	if sdk.count("Received session termination request") == 0 {
		t.Error("the session was not ended at the server")
	}
	if list[0].Kept != realtest.Required("keyring") {
		t.Fatalf("kept = %v", list[0].Kept)
	}
	if list[0].Kept {
		in.start(t)
		in.awaitServer(t, "sdk", "ready")
		if len(tabs()) != 1 {
			t.Errorf("tabs = %q", tabs())
		}
	}
	in.holdsNoToken(t)
}

// holdsNoToken looks for anything like a token in all files of the instance.
func (in *instance) holdsNoToken(t *testing.T) {
	t.Helper()
	_ = filepath.Walk(in.dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		data, _ := os.ReadFile(path)
		for _, mark := range []string{"access_token", "refresh_token", "code_verifier", "Bearer ey", `"access":"`} {
			if bytes.Contains(data, []byte(mark)) {
				t.Errorf("%s holds %q", path, mark)
			}
		}
		return nil
	})
}

// oidc starts oidc-provider with tokens of some seconds in front of an MCP server.
func oidc(t *testing.T, p peers, life string) (url string, as *lines, srv *upstreamtest.Server) {
	t.Helper()
	srv = &upstreamtest.Server{Script: upstreamtest.Script{Tools: upstreamtest.Tools("t", 2)}}
	target := httptest.NewServer(srv.Handler())
	t.Cleanup(target.Close)
	script, err := filepath.Abs("../../.ci/npm/oauth/as.mjs")
	if err != nil {
		t.Fatal(err)
	}
	rs := freeAddr(t)
	as = p.start(t, "ready", []string{"AS_PORT=" + portIn(t, freeAddr(t)), "RS_PORT=" + portIn(t, rs), "TARGET=" + target.URL, "LIFE=" + life}, script)
	return "http://" + rs + "/mcp", as, srv
}

// A certified authorization server with tokens of three seconds that are good
// for one refresh: calls go on over expiries, and 100 at once cause one refresh.
func TestOAuth_OIDCProvider(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	url, as, srv := oidc(t, p, "3")
	env, tabs := onDesktop(t)
	in := serveOn(t, env, map[string]any{"oidc": map[string]any{"url": url, "quarantined": false}})
	in.awaitServer(t, "oidc", "needs-login")
	if out, said, err := in.command(t, "auth", "login", "oidc"); err != nil {
		t.Fatalf("auth login = %v\n%s%s\n%q", err, out, said, as.said)
	}
	in.awaitServer(t, "oidc", "ready")
	a := newAgent(t, in)
	calls := 0
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); calls++ {
		a.call("call_tool_destructive", "oidc:t0", map[string]any{})
	}
	if n := as.count("granted refresh_token"); n < 2 || n > 6 {
		t.Errorf("%d refreshes in 8 s of tokens that live 3 s", n)
	}
	if as.count("refused") > 0 || len(tabs()) != 1 {
		t.Errorf("%d grants refused, %d tabs", as.count("refused"), len(tabs()))
	}
	if _, _, got := srv.Counts(); got != calls {
		t.Errorf("%d calls arrived, %d were made", got, calls)
	}

	expire := time.NewTimer(3200 * time.Millisecond) // of the real token
	<-expire.C
	before := as.count("granted refresh_token")
	began := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	c, err := client.Dial(in.dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // one client may have 64 requests in flight
		wg.Go(func() {
			_, err := a.s.Call(t.Context(), "call_tool_destructive", map[string]any{"id": "oidc:t1", "arguments": map[string]any{}})
			errs <- err
		})
		wg.Go(func() {
			_, err := c.CallTool(t.Context(), "oidc:t1", json.RawMessage(`{}`))
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	took := time.Since(began)
	want := 1 + int(took/(2*time.Second)) // on a machine that is so slow the next token comes due meanwhile
	if n := as.count("granted refresh_token") - before; n < 1 || n > want {
		t.Errorf("100 calls at expiry caused %d refreshes within %s, want %d", n, took, want)
	}
	if as.count("registered") != 1 {
		t.Errorf("registered %d times", as.count("registered"))
	}
	if out, said, err := in.command(t, "auth", "logout", "oidc"); err != nil {
		t.Errorf("auth logout = %v\n%s%s", err, out, said)
	}
	in.awaitServer(t, "oidc", "needs-login")
	if n := len(tabs()); n != 1 {
		t.Errorf("%d tabs after the logout", n)
	}
	in.stop(t)
	in.holdsNoToken(t)
}

// A call that needs a login opens the browser by itself, and the server connects.
func TestOAuth_CallOpensTheBrowser(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	url, _, _ := oidc(t, p, "60")
	env, tabs := onDesktop(t)
	in := serveOn(t, env, map[string]any{"oidc": map[string]any{"url": url, "quarantined": false}})
	in.awaitServer(t, "oidc", "needs-login")
	if out, said, err := in.command(t, "upstream", "restart", "oidc"); err != nil { // a person did it
		t.Fatalf("restart = %v\n%s%s", err, out, said)
	}
	in.awaitServer(t, "oidc", "ready")
	if n := len(tabs()); n != 1 {
		t.Errorf("%d tabs", n)
	}
}

// Without an instance the command does the login itself.
func TestOAuth_WithoutInstance(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	url, _, _ := oidc(t, p, "60")
	env, _ := onDesktop(t)
	in := instanceOn(t, env, map[string]any{"oidc": map[string]any{"url": url}})
	out, said, err := in.command(t, "quarantine", "inspect", "oidc")
	if err == nil || !strings.Contains(said, hint.Command("-d", in.dir, "auth", "login", "oidc")) {
		t.Errorf("inspect before the login = %v\n%s%s, want the command that helps", err, out, said)
	}
	out, said, err = in.command(t, "auth", "login", "oidc")
	if err != nil || !strings.Contains(out, "Logged in at oidc") {
		t.Fatalf("auth login = %v\n%s%s", err, out, said)
	}
	if realtest.Required("keyring") == strings.Contains(out, "lasts until the program ends") {
		t.Errorf("auth login said %q", out)
	}
	if !realtest.Required("keyring") {
		return // nothing kept it
	}
	if out, said, err := in.command(t, "quarantine", "inspect", "oidc"); err != nil || !strings.Contains(out, "t0") {
		t.Errorf("inspect after the login = %v\n%s%s", err, out, said)
	}
}

// On a machine without a keyring the secrets file keeps the key of the logins.
func TestOAuth_WithSecretsFile(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	url, _, _ := oidc(t, p, "60")
	env, tabs := onDesktop(t)
	in := instanceOn(t, append(env, "MCPPROXY_SECRETS_PASSPHRASE=correct horse", "DBUS_SESSION_BUS_ADDRESS=unix:path="+t.TempDir()+"/no-bus"), nil)
	in.extra = map[string]any{"secrets_backend": "file"}
	in.configure(t, map[string]any{"oidc": map[string]any{"url": url, "quarantined": false}})
	in.start(t)
	in.awaitServer(t, "oidc", "needs-login")
	out, said, err := in.command(t, "auth", "login", "oidc")
	if err != nil || strings.Contains(out, "lasts until the program ends") {
		t.Fatalf("auth login = %v\n%s%s", err, out, said)
	}
	in.awaitServer(t, "oidc", "ready")
	in.stop(t)
	in.start(t)
	in.awaitServer(t, "oidc", "ready")
	if len(tabs()) != 1 {
		t.Errorf("tabs = %q", tabs())
	}
	in.holdsNoToken(t)
}

// conformanceClient is the client that the conformance suite drives: it puts the
// suite's server behind mcpproxy, logs in as a person would, and calls its tool.
func conformanceClient() {
	if err := runConformanceClient(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// clientDocument is the client metadata document that the suite knows.
const clientDocument = "https://conformance-test.local/client-metadata.json"

func runConformanceClient(url string) (err error) {
	dir, err := os.MkdirTemp("", "mcpproxy-conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var given struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	_ = json.Unmarshal([]byte(os.Getenv("MCP_CONFORMANCE_CONTEXT")), &given)
	oauth := map[string]any{"client_id": clientDocument}
	if given.ID != "" {
		oauth = map[string]any{"client_id": given.ID, "client_secret": given.Secret}
	}
	config, err := json.Marshal(map[string]any{"listen": "127.0.0.1:0", "enable_tray": false,
		"mcpServers": map[string]any{"suite": map[string]any{"url": url, "quarantined": false, "oauth": oauth}}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "mcp_config.json"), config, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("mcpproxy", "serve", "--tray=false", "-d", dir)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/no-bus")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	return driveSuite(ctx, dir)
}

// driveSuite logs in as often as the server asks for it, at most twice.
func driveSuite(ctx context.Context, dir string) error {
	var c *client.Client
	state := func(want ...string) (got string, err error) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if c == nil {
				c, err = client.Dial(dir)
			}
			if c != nil {
				if list, err := c.Servers(ctx); err == nil && len(list) == 1 && slices.Contains(want, list[0].State) && (list[0].State != "ready" || list[0].Tools > 0) {
					return list[0].State, nil
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return "", fmt.Errorf("server is not %q: %w", want, ctx.Err())
			}
		}
	}
	for try := 0; ; try++ {
		st, err := state("ready", "needs-login")
		if err != nil {
			return err
		}
		if st == "ready" {
			err := callAll(ctx, c)
			if err == nil || try == 2 || !strings.Contains(err.Error(), "rights") {
				return err
			}
		}
		if try == 2 {
			return fmt.Errorf("still %s after two logins", st)
		}
		visited := make(chan error, 1)
		_, err = c.LogIn(ctx, "suite", true, func(p client.LoginPrompt) { go func() { visited <- visit(p.URL) }() })
		if err != nil {
			return err
		}
		if err := <-visited; err != nil {
			return err
		}
	}
}

// callAll calls every tool of the suite's server.
func callAll(ctx context.Context, c *client.Client) error {
	tools, err := c.ListTools(ctx, "suite", client.ListOptions{})
	if err != nil {
		return err
	}
	for _, tool := range tools {
		args := `{}`
		if tool.Name == "add_numbers" {
			args = `{"a": 5, "b": 3}`
		}
		raw, err := c.CallTool(ctx, tool.ID, json.RawMessage(args))
		if err != nil {
			return err
		}
		if bytes.Contains(raw, []byte(`"isError":true`)) {
			return errors.New(mcpclient.Text(raw))
		}
	}
	return nil
}

func TestOAuth_Conformance(t *testing.T) {
	t.Parallel()
	p := needOAuth(t)
	baseline, err := filepath.Abs("../../.ci/npm/oauth/expected-failures.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--suite", "auth"}, {"--scenario", "tools_call"}, {"--scenario", "sse-retry"},
		{"--scenario", "auth/2025-03-26-oauth-metadata-backcompat"}, {"--scenario", "auth/2025-03-26-oauth-endpoint-fallback"},
		{"--scenario", "auth/resource-mismatch"}, {"--scenario", "auth/offline-access-scope"}, {"--scenario", "auth/offline-access-not-supported"},
	} {
		t.Run(args[1], func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), p.node, append([]string{p.script("conformance"), "client", "--command", "conformance-client",
				"--expected-failures", baseline, "-o", t.TempDir()}, args...)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("conformance: %v\n%s", err, out)
			} else {
				t.Logf("%s", out)
			}
		})
	}
}

// A pasted address is asked only where this login's browser would have ended.
func TestAuth_Paste(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		if r.URL.Query().Get("state") != "S" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer srv.Close()
	redirect := srv.URL + "/callback"
	for _, address := range []string{"", "x", srv.URL + "/other?state=S", "https://evil.example/callback?state=S", redirect + "#state=S", strings.Replace(redirect, "127.0.0.1", "127.0.0.1@evil.example", 1) + "?state=S"} {
		if err := bring(t.Context(), redirect, address); err == nil || len(asked) > 0 {
			t.Errorf("bring(%q) = %v and asked %d", address, err, len(asked))
		}
	}
	if err := bring(t.Context(), "http://169.254.169.254/callback", "http://169.254.169.254/callback?state=S"); err == nil {
		t.Error("another machine was asked")
	}
	if err := bring(t.Context(), redirect, redirect+"?state=X"); err == nil {
		t.Error("a refusal is no error")
	}
	if err := bring(t.Context(), redirect, redirect+"?state=S&code=C"); err != nil || len(asked) != 2 {
		t.Errorf("bring = %v", err)
	}
}
