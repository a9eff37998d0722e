package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
)

// instance is a running `mcpproxy serve` with its own home and configuration.
type instance struct {
	url, dir, addr string
	extra          map[string]any // of the configuration, beside its servers
	env            []string       // nil: that of the test, with a home of its own
	cmd            *exec.Cmd
}

// serve starts mcpproxy with servers and waits until all of them are listed.
func serve(t *testing.T, servers map[string]any) *instance {
	t.Helper()
	return serveWith(t, nil, servers)
}

// serveWith is serve with further keys of the configuration.
func serveWith(t *testing.T, top, servers map[string]any) *instance {
	t.Helper()
	in := &instance{dir: t.TempDir(), addr: freeAddr(t), extra: top}
	in.url = "http://" + in.addr + "/mcp"
	in.configure(t, servers)
	in.start(t)
	return in
}

func (in *instance) configPath() string { return filepath.Join(in.dir, "mcp_config.json") }

// configure writes the file, at once as an editor does.
func (in *instance) configure(t *testing.T, servers map[string]any) {
	t.Helper()
	top := map[string]any{"listen": in.addr, "enable_tray": false, "mcpServers": servers}
	maps.Copy(top, in.extra)
	config, err := json.Marshal(top)
	if err != nil {
		t.Fatal(err)
	}
	next := in.configPath() + ".next"
	if err := os.WriteFile(next, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, in.configPath()); err != nil {
		t.Fatal(err)
	}
}

// start runs the program on the instance's directory until the test ends.
func (in *instance) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(in.dir, "stderr.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = log.Close()
		if said, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("mcpproxy said:\n%s", said)
		}
	})
	in.cmd = exec.Command("mcpproxy", "serve", "--tray=false", "-c", in.configPath(), "-d", in.dir)
	if in.cmd.Env = in.env; in.env == nil {
		in.cmd.Env = append(os.Environ(), "HOME="+in.dir, "XDG_STATE_HOME="+in.dir)
	}
	in.cmd.Stderr = log
	startProcess(t, in.cmd)
	realtest.Until(t, "every server to be listed", func() error { return get("http://" + in.addr + "/readyz") })
}

// startProcess starts cmd and interrupts it at the end of the test.
func startProcess(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState != nil { // ended and waited for by the test
			return
		}
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("%s ignored the interrupt", cmd.Path)
		}
	})
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func get(url string) error { return getBy(http.DefaultClient, url) }

func getBy(c *http.Client, url string) error {
	resp, err := c.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", resp.StatusCode, body)
	}
	return err
}

// agent opens a session and fails the test on any tool error.
type agent struct {
	t *testing.T
	s *mcpclient.Session
}

func newAgent(t *testing.T, in *instance) agent {
	t.Helper()
	s, err := mcpclient.Open(t.Context(), in.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return agent{t, s}
}

// call calls an upstream tool with the tool of ours that fits it.
func (a agent) call(with, id string, args map[string]any) string {
	a.t.Helper()
	raw, err := a.s.Call(a.t.Context(), with, map[string]any{"id": id, "arguments": args})
	if err != nil {
		a.t.Fatalf("%s %s: %v", with, id, err)
	}
	return mcpclient.Text(raw)
}

// search returns the ids that retrieve_tools finds, best first.
func (a agent) search(query string) []string {
	a.t.Helper()
	raw, err := a.s.Call(a.t.Context(), "retrieve_tools", map[string]any{"query": query})
	if err != nil {
		a.t.Fatal(err)
	}
	var result struct {
		Structured struct {
			Tools []struct {
				ID string `json:"id"`
			} `json:"tools"`
		} `json:"structuredContent"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		a.t.Fatal(err)
	}
	var ids []string
	for _, tool := range result.Structured.Tools {
		ids = append(ids, tool.ID)
	}
	return ids
}
