package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mcpproxy/internal/client"
	"mcpproxy/internal/realtest"
	"mcpproxy/internal/secret/secrettest"
	"mcpproxy/upstream/upstreamtest"
)

// TestMain makes this test binary the mcpproxy of the scripts, the scripted
// server that upstreamtest.Command starts, and the server of canary_test.go.
func TestMain(m *testing.M) {
	upstreamtest.Main()
	testscript.Main(m, map[string]func(){"mcpproxy": main, "leaky": leaky, "xdg-open": browse, "conformance-client": conformanceClient})
}

// TestScripts runs the user journeys. Each script has a home of its own, and in
// $TRANSFORMER a sentence model to add.
//
//	waitready              waits until an instance answers on the socket of home
//	waittools NAME         waits until the index holds tools of server NAME
//	exits CODE COMMAND...  runs a command that must end with CODE
//	approve NAME           approves what waits of a server, by the hash that inspect prints
//	keyring PASSWORD       begins a D-Bus session with an unlocked keyring
//	typed NAME             writes the file "typed" with the first characters of that hash
//	restorecopy N          brings copy N back, by the hash that restore --list prints
//	until TEXT COMMAND...  runs a command again until its output has TEXT
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("USERPROFILE", home)
			env.Setenv("LOCALAPPDATA", home)
			env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			env.Setenv("XDG_RUNTIME_DIR", "")
			model, err := filepath.Abs(filepath.Join("..", "..", "embed", "testdata", "transformer"))
			env.Setenv("TRANSFORMER", model)
			return errors.Join(err, os.MkdirAll(home, 0o700))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"waitready": waitReady, "waittools": waitTools, "exits": exits, "until": until,
			"approve": approve, "typed": typed, "keyring": beginKeyring, "restorecopy": restoreCopyN,
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "race": // whose checkptr does not let a transformer run
				info, _ := debug.ReadBuildInfo()
				return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}), nil
			case "keyring":
				return secrettest.Missing() == nil, nil
			case "pty":
				return runtime.GOOS == "linux", nil
			case "unshare": // a namespace without any network
				return exec.Command("unshare", "-rn", "ip", "link", "set", "lo", "up").Run() == nil, nil
			}
			return false, errors.New("unknown condition " + cond)
		},
	})
}

func dataDir(ts *testscript.TestScript) string { return filepath.Join(ts.Getenv("HOME"), ".mcpproxy") }

func waitReady(ts *testscript.TestScript, _ bool, _ []string) {
	realtest.Until(ts, "an instance", func() error {
		c, err := client.Dial(dataDir(ts))
		if err == nil {
			c.Close()
		}
		return err
	})
}

func waitTools(ts *testscript.TestScript, _ bool, args []string) {
	realtest.Until(ts, "tools of "+args[0], func() error {
		c, err := client.Dial(dataDir(ts))
		if err != nil {
			return err
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		ix, err := c.Index(ctx)
		if err == nil && ix.Servers[args[0]] == 0 {
			err = errors.New("none yet")
		}
		return err
	})
}

// shownHash is the hash that quarantine inspect prints of a server.
func shownHash(ts *testscript.TestScript, name string) string {
	ts.Check(ts.Exec("mcpproxy", "quarantine", "inspect", name, "-o", "json"))
	var page client.Waiting
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &page))
	return page.Hash
}

func approve(ts *testscript.TestScript, _ bool, args []string) {
	hash := shownHash(ts, args[0])
	ts.Check(ts.Exec("mcpproxy", append([]string{"quarantine", "approve", args[0], "--hash", hash}, args[1:]...)...))
}

func restoreCopyN(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("mcpproxy", "quarantine", "restore", "--list", "-o", "json"))
	var copies []restoreCopy
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &copies))
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > len(copies) {
		ts.Fatalf("restorecopy %q: there are %d copies", args, len(copies))
	}
	ts.Check(ts.Exec("mcpproxy", "quarantine", "restore", args[0], "--hash", copies[n-1].Hash))
}

func typed(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs("typed"), []byte(shownHash(ts, args[0])[:6]+"\n"), 0o600))
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits %q: %v", args, err)
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%q: %v", args[1:], err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("%q exited with %d, want %d", args[1:], code, want)
	}
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	realtest.Until(ts, strconv.Quote(args[0]), func() error {
		err := ts.Exec(args[1], args[2:]...)
		if strings.Contains(ts.ReadFile("stdout")+ts.ReadFile("stderr"), args[0]) {
			return nil
		}
		return fmt.Errorf("not in the output: %w", err)
	})
}
