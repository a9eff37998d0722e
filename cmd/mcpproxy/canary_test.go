package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"mcpproxy/internal/secret/secrettest"
)

// leaky is a stdio server that tells its secrets wherever it can but in a
// result: on stderr in pieces, as base64, JSON and part of a URL, in errors, and
// in a panic. Its secrets are the variable TOKEN and its last argument.
func leaky() {
	secrets := []string{os.Getenv("TOKEN")}
	if len(os.Args) > 1 {
		secrets = append(secrets, os.Args[len(os.Args)-1])
	}
	for _, s := range secrets {
		for i := range s {
			fmt.Fprint(os.Stderr, s[i:i+1])
		}
		quoted, _ := json.Marshal(map[string]string{"token": s})
		fmt.Fprintf(os.Stderr, "\nuser %s\n%s\n?token=%s\n%s\n", base64.StdEncoding.EncodeToString([]byte("user:"+s)), quoted, url.QueryEscape(s), strings.Repeat("x", 8180)+s)
	}
	if os.Getenv("CRASH") != "" {
		panic("cannot start with " + secrets[0])
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Name string `json:"name"`
			} `json:"params"`
		}
		_ = json.Unmarshal(in.Bytes(), &m)
		switch {
		case m.Method == "tools/call" && m.Params.Name == "die":
			panic(strings.Join(secrets, " "))
		case len(m.ID) > 0:
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,%s}`+"\n", m.ID, leakyAnswer(m.Method, strings.Join(secrets, " ")))
		}
	}
}

// leakyAnswer is the result or error of a request.
func leakyAnswer(method, secrets string) string {
	switch method {
	case "initialize" + os.Getenv("REFUSE"):
		return `"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"leaky","version":"1"}}`
	case "tools/list":
		return `"result":{"tools":[{"name":"die","inputSchema":{"type":"object"}},{"name":"fail","inputSchema":{"type":"object"}}]}`
	default:
		text, _ := json.Marshal("bad token " + secrets)
		return fmt.Sprintf(`"error":{"code":-32001,"message":%s}`, text)
	}
}

// leakyHTTP does the same over HTTP with what it got as Authorization.
func leakyHTTP(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		_ = json.NewDecoder(r.Body).Decode(&m)
		switch {
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/broken":
			http.Error(w, "no such user: "+token, http.StatusInternalServerError)
		case len(m.ID) == 0:
			w.WriteHeader(http.StatusAccepted)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, m.ID, leakyAnswer(m.Method, token))
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// The values hold what JSON, URLs and base64 write otherwise. No other test that
// may run meanwhile has their first word in its command lines.
const (
	canaryEnv  = `BUDGIE-env/7f"3+9`
	canaryHead = `BUDGIE-head/1?&b=2`
	canaryArg  = `BUDGIE-arg/44+5`
)

// canaryForms are what is looked for: each value as it is and as base64, and the
// part of all that every other form keeps.
func canaryForms() []string {
	forms := []string{"BUDGIE-"}
	for _, v := range []string{canaryEnv, canaryHead, canaryArg} {
		forms = append(forms, base64.RawStdEncoding.EncodeToString([]byte("user:" + v))[8:24])
	}
	return forms
}

func TestKeyring_CanaryIsNowhere(t *testing.T) {
	t.Parallel()
	secrettest.NeedKeyring(t)
	in := &instance{dir: t.TempDir(), addr: freeAddr(t)}
	in.url = "http://" + in.addr + "/mcp"
	in.env = secrettest.Begin(t, in.dir).Unlock(t, "password").Env
	c := &canary{t: t, in: in, forms: canaryForms()}
	for name, value := range map[string]string{"env": canaryEnv, "head": canaryHead, "arg": canaryArg} {
		set := c.command("secrets", "set", "canary_"+name, "--stdin")
		set.Stdin = strings.NewReader(value)
		c.run(set)
	}
	remote := leakyHTTP(t)
	head := map[string]string{"Authorization": "Bearer ${keyring:canary_head}"}
	env := map[string]string{"TOKEN": "${keyring:canary_env}"}
	in.extra = map[string]any{"log_level": "trace", "audit_arguments": true}
	in.configure(t, map[string]any{
		"child":  map[string]any{"command": "leaky", "env": env, "quarantined": false},
		"crash":  map[string]any{"command": "leaky", "env": map[string]string{"TOKEN": "${keyring:canary_env}", "CRASH": "1"}, "quarantined": false},
		"refuse": map[string]any{"command": "leaky", "env": map[string]string{"TOKEN": "${keyring:canary_env}", "REFUSE": "1"}, "quarantined": false},
		"argv":   map[string]any{"command": "leaky", "args": []string{"--token", "${keyring:canary_arg}"}, "quarantined": false},
		"remote": map[string]any{"url": remote.URL + "/mcp", "type": "http", "headers": head, "quarantined": false},
		"broken": map[string]any{"url": remote.URL + "/broken", "type": "http", "headers": head, "quarantined": false},
	})
	in.start(t)
	c.drive()
	c.argv()
	c.ask()
	_ = in.cmd.Process.Signal(syscall.SIGQUIT) // every goroutine's stack, as in a panic
	_ = in.cmd.Wait()
	c.disk()
}

// canary looks for the secrets in all that it sees.
type canary struct {
	t     *testing.T
	in    *instance
	forms []string
}

func (c *canary) check(where string, text []byte) {
	c.t.Helper()
	for _, form := range c.forms {
		if i := bytes.Index(text, []byte(form)); i >= 0 {
			c.t.Errorf("%s holds a secret: ...%.80s", where, text[max(0, i-40):])
		}
	}
}

func (c *canary) command(args ...string) *exec.Cmd {
	cmd := exec.Command("mcpproxy", append(args, "-d", c.in.dir)...)
	cmd.Env = c.in.env
	return cmd
}

// run checks what a command prints, whether it succeeds or not.
func (c *canary) run(cmd *exec.Cmd) {
	c.t.Helper()
	out, err := cmd.CombinedOutput()
	if len(out) == 0 && err != nil {
		c.t.Fatalf("%q: %v", cmd.Args, err)
	}
	c.check(strings.Join(cmd.Args[1:], " "), out)
}

// drive makes the servers tell what they know, and agents look.
func (c *canary) drive() {
	a := newAgent(c.t, c.in)
	for _, id := range []string{"child:fail", "argv:fail", "remote:fail", "child:die", "argv:die", "broken:fail", "crash:fail"} {
		raw, err := a.s.Call(c.t.Context(), "call_tool_destructive", map[string]any{"id": id, "arguments": map[string]any{"note": canaryEnv}})
		c.check("call of "+id, fmt.Append(raw, err))
	}
	for _, call := range []map[string]any{{"operation": "list"}, {"operation": "get", "name": "argv"}} {
		raw, err := a.s.Call(c.t.Context(), "upstream_servers", call)
		c.check("upstream_servers", fmt.Append(raw, err))
	}
	raw, err := a.s.Call(c.t.Context(), "retrieve_tools", map[string]any{"query": "fail"})
	c.check("retrieve_tools", fmt.Append(raw, err))
}

// argv looks at the command lines of all processes. That a secret in args stands
// there is what the log warns of.
func (c *canary) argv() {
	if runtime.GOOS != "linux" {
		return
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		c.t.Fatalf("no command lines: %v", err)
	}
	for _, path := range lines {
		text, _ := os.ReadFile(path) // of a process that may have ended
		if !bytes.Contains(text, []byte("--token")) {
			c.check(path, text)
		}
	}
}

// ask runs every command that shows servers, logs or settings.
func (c *canary) ask() {
	for _, line := range []string{
		"upstream list -o json", "upstream list", "status", "status -o json", "secrets list -o json", "quarantine list", "quarantine inspect child",
		"tools list -s child -l trace", "tools list -s argv -l trace", "tools list -s remote -l trace", "tools list -s broken -l trace", "tools list -s crash -l trace",
		"upstream logs child", "upstream logs argv", "upstream logs crash -n 500", "call tool --tool-name child:fail --json_args {}",
		"call tool --tool-name remote:fail --json_args {}", "audit list -o json", "doctor", "auth status", "index status",
	} {
		c.run(c.command(strings.Fields(line)...))
	}
	key, err := os.ReadFile(filepath.Join(c.in.dir, "api_key"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/status", "/api/v1/servers", "/api/v1/secrets", "/api/v1/audit?limit=1000", "/api/v1/servers/crash/logs", "/api/v1/quarantine", "/readyz"} {
		req, _ := http.NewRequest(http.MethodGet, "http://"+c.in.addr+path, nil)
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			c.t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		c.check("GET "+path, text)
	}
}

// disk reads every file below the home, which is data directory, logs and the
// console too, and makes sure that the secrets were there to be masked.
func (c *canary) disk() {
	masked := map[string]int{}
	err := filepath.WalkDir(c.in.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		c.check(path, text)
		masked[filepath.Base(path)] += bytes.Count(text, []byte("**redacted**"))
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for name, least := range map[string]int{"server-child.log": 5, "server-argv.log": 5, "server-crash.log": 5, "stderr.log": 1} {
		if masked[name] < least {
			c.t.Errorf("%s masks %d secrets, want at least %d: nothing was tried", name, masked[name], least)
		}
	}
	said, err := os.ReadFile(filepath.Join(c.in.dir, "stderr.log"))
	if err != nil || bytes.Count(said, []byte("args hold a secret")) == 0 || !bytes.Contains(said, []byte("goroutine ")) {
		c.t.Errorf("%v: the console has no warning about args, or no stacks", err)
	}
}
