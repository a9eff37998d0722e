package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// scripted is the configuration of a stdio server that is trusted and runs
// script.
func scripted(t *testing.T, script upstreamtest.Script) map[string]any {
	t.Helper()
	spec, err := upstreamtest.Command(upstream.Spec{}, script)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SETTING": "one"}
	maps.Copy(env, spec.Env)
	return map[string]any{"command": spec.Command, "args": spec.Args, "env": env, "quarantined": false}
}

func TestServe_ReloadTouchesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	tools := []json.RawMessage{upstreamtest.Tool(upstreamtest.PID)}
	kept, edited := scripted(t, upstreamtest.Script{Tools: tools}), scripted(t, upstreamtest.Script{Tools: tools})
	in := serve(t, map[string]any{"kept": kept, "edited": edited})
	a := newAgent(t, in)
	keptPID, editedPID := a.pid("kept"), a.pid("edited")

	edited["env"].(map[string]string)["SETTING"] = "two" // a value is not part of the launch identity
	in.configure(t, map[string]any{"kept": kept, "edited": edited})
	realtest.Until(t, "the edited server to restart", func() error {
		pid, err := a.tryPID("edited")
		if err == nil && pid == editedPID {
			err = fmt.Errorf("still pid %d", pid)
		}
		return err
	})
	if got := a.pid("kept"); got != keptPID {
		t.Errorf("kept has pid %d, want %d: it was not edited", got, keptPID)
	}

	if err := os.WriteFile(in.configPath(), []byte(`{"mcpServers": {"kept": 7}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	realtest.Until(t, "the broken file to be reported", func() error {
		said, err := os.ReadFile(in.dir + "/stderr.log")
		if err == nil && !strings.Contains(string(said), "mcpServers.kept") {
			err = fmt.Errorf("not in the log")
		}
		return err
	})
	if got := a.pid("kept"); got != keptPID {
		t.Errorf("kept has pid %d after a broken file, want %d", got, keptPID)
	}

	edited["args"] = []string{"--other"}
	in.configure(t, map[string]any{"kept": kept, "edited": edited})
	realtest.Until(t, "the server with another launch identity to be held", func() error {
		_, err := a.tryPID("edited")
		if err == nil {
			return fmt.Errorf("still callable")
		}
		return nil
	})
	if got := a.pid("kept"); got != keptPID {
		t.Errorf("kept has pid %d, want %d", got, keptPID)
	}
}

func TestServe_EndsTheStraysOfAKilledInstance(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a Job Object ends the children with the proxy")
	}
	tools := []json.RawMessage{upstreamtest.Tool(upstreamtest.PID)}
	in := serve(t, map[string]any{
		"stubborn": scripted(t, upstreamtest.Script{Tools: tools, IgnoreEOF: true}),
		"heeding":  scripted(t, upstreamtest.Script{Tools: tools}),
	})
	a := newAgent(t, in)
	stubborn, heeding := a.pid("stubborn"), a.pid("heeding")
	if err := in.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = in.cmd.Wait()
	realtest.Until(t, "the child that heeds EOF to end", func() error { return gone(heeding) })
	if gone(stubborn) == nil {
		t.Fatal("the stubborn child ended by itself: this test shows nothing")
	}
	in.start(t)
	realtest.Until(t, "the stray to be ended", func() error { return gone(stubborn) })
	if got := newAgent(t, in).pid("stubborn"); got == stubborn {
		t.Errorf("stubborn still has pid %d", got)
	}
}

// gone returns nil once no process has the pid.
func gone(pid int) error {
	if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(state), ") Z ") {
		return nil // nobody reaps it here
	}
	p, err := os.FindProcess(pid)
	if err != nil || p.Signal(syscall.Signal(0)) != nil {
		return nil
	}
	return fmt.Errorf("pid %d is alive", pid)
}

func (a agent) tryPID(server string) (int, error) {
	raw, err := a.s.Call(a.t.Context(), "call_tool_destructive", map[string]any{"id": server + ":" + upstreamtest.PID, "arguments": map[string]any{}})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(mcpclient.Text(raw))
}

func (a agent) pid(server string) int {
	a.t.Helper()
	pid, err := a.tryPID(server)
	if err != nil {
		a.t.Fatal(err)
	}
	return pid
}
