package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mcpproxy/internal/client"
	"mcpproxy/internal/secret/secrettest"
)

// scriptTB lets a script begin a session.
type scriptTB struct{ *testscript.TestScript }

func (scriptTB) Helper()             {}
func (s scriptTB) Cleanup(f func())  { s.Defer(f) }
func (s scriptTB) Fatal(args ...any) { s.Fatalf("%v", args) }

// beginKeyring is the command "keyring PASSWORD" of the scripts.
func beginKeyring(ts *testscript.TestScript, _ bool, args []string) {
	s := secrettest.Begin(scriptTB{ts}, ts.Getenv("HOME")).Unlock(scriptTB{ts}, args[0])
	for _, kv := range s.Env {
		if name, value, _ := strings.Cut(kv, "="); name == "DBUS_SESSION_BUS_ADDRESS" {
			ts.Setenv(name, value)
		}
	}
}

// A keyring whose question nobody answers costs the server that needs it, and no
// other, and no command more than 5 s.
func TestKeyring_HangingHurtsOnlyWhoNeedsIt(t *testing.T) {
	t.Parallel()
	secrettest.NeedKeyring(t)
	in := &instance{dir: t.TempDir(), addr: freeAddr(t)}
	in.url = "http://" + in.addr + "/mcp"
	in.env = secrettest.Begin(t, in.dir).Hang(t).Env
	self, err := exec.LookPath("mcpproxy")
	if err != nil {
		t.Fatal(err)
	}
	in.configure(t, map[string]any{
		"free":   map[string]any{"command": self, "args": []string{"example", "units"}, "quarantined": false},
		"needs":  map[string]any{"command": self, "args": []string{"example", "time"}, "env": map[string]string{"A": "${keyring:a}"}, "quarantined": false},
		"header": map[string]any{"url": "http://127.0.0.1:1/mcp", "headers": map[string]string{"A": "${keyring:b}"}, "quarantined": false},
	})
	began := time.Now()
	in.start(t)
	if took := time.Since(began); took > 20*time.Second { // 5 s of patience, and what the machine needs
		t.Errorf("every server was settled after %s", took)
	}
	list := exec.Command("mcpproxy", "upstream", "list", "-d", in.dir, "-o", "json")
	list.Env = in.env
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var servers []client.Server
	if err := json.Unmarshal(out, &servers); err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		switch {
		case s.Name == "free" && s.State != "ready",
			s.Name != "free" && (s.State != "backing-off" || !strings.Contains(s.Error, "keyring unavailable") || !strings.Contains(s.Error, "hint: ")):
			t.Errorf("%s is %s: %s", s.Name, s.State, s.Error)
		}
	}
}

func TestKeyring_CtrlCEndsACommandThatWaits(t *testing.T) {
	t.Parallel()
	secrettest.NeedKeyring(t)
	s := secrettest.Begin(t, t.TempDir()).Hang(t)
	cmd := exec.Command("mcpproxy", "secrets", "list", "-d", s.Home)
	cmd.Env = s.Env
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-s.Asked // it waits for the answer now
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if took := time.Since(began); took > 4*time.Second || cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("ended with code %d after %s, want %d at once", cmd.ProcessState.ExitCode(), took, exitInterrupted)
	}
}
