//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcpproxy/internal/client"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream/docker"
	"mcpproxy/upstream/docker/dockertest"
)

// isolated is the configuration of a trusted server in the fixture's image.
func isolated(args ...string) map[string]any {
	return map[string]any{"command": "/fixture", "args": args, "quarantined": false,
		"isolation": map[string]any{"image": dockertest.Image, "network_mode": "none", "memory_limit": "64m"}}
}

// serveIsolated is serve with Docker isolation for every server.
func serveIsolated(t *testing.T, servers map[string]any, env ...string) *instance {
	t.Helper()
	in := &instance{dir: t.TempDir(), addr: freeAddr(t), extra: map[string]any{"docker_isolation": map[string]any{"enabled": true}}}
	in.env = append(append(os.Environ(), "HOME="+in.dir, "XDG_STATE_HOME="+in.dir), env...)
	in.url = "http://" + in.addr + "/mcp"
	in.configure(t, servers)
	t.Cleanup(func() {
		for volume := range strings.FieldsSeq(runDocker(t, "volume", "ls", "--quiet", "--filter", in.label(t))) {
			runDocker(t, "volume", "rm", "--force", volume)
		}
		if left := in.containers(t); left != "" {
			t.Errorf("containers after the end:\n%s", left)
		}
	})
	in.start(t)
	return in
}

// label is a filter for what the instance made.
func (in *instance) label(t *testing.T) string {
	t.Helper()
	d, err := docker.Open(docker.Options{Dir: in.dir})
	if err != nil {
		t.Fatal(err)
	}
	return "label=mcpproxy.instance=" + d.Instance()
}

// said is all that the instance printed.
func (in *instance) said() string {
	text, _ := os.ReadFile(filepath.Join(in.dir, "stderr.log"))
	return string(text)
}

func (in *instance) containers(t *testing.T) string {
	t.Helper()
	return runDocker(t, "ps", "--all", "--quiet", "--filter", in.label(t))
}

// run runs a command of mcpproxy on the instance.
func (in *instance) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mcpproxy", append(args, "-d", in.dir)...)
	cmd.Env = append(os.Environ(), "HOME="+in.dir, "XDG_STATE_HOME="+in.dir)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("mcpproxy %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func runDocker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestDocker(t *testing.T) {
	dockertest.Need(t)
	for name, test := range map[string]func(*testing.T){
		"Npx": testDockerNpx, "Uvx": testDockerUvx, "Doctor": testDockerDoctor, "Kill": testDockerKill,
		"ImageChanges": testDockerImageChanges, "Canary": testDockerCanary,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// First contact and first call of a package from npm, with every default. The
// registry is the one that npm uses on this machine.
func testDockerNpx(t *testing.T) {
	registry, err := exec.Command("npm", "config", "get", "registry").Output()
	if err != nil {
		t.Fatalf("npm: %v", err)
	}
	in := serveIsolated(t, map[string]any{"files": map[string]any{
		"command": "npx", "args": []string{"-y", "@modelcontextprotocol/server-filesystem", "/app"},
		"env": map[string]string{"npm_config_registry": strings.TrimSpace(string(registry))},
	}})
	var page client.Waiting
	if err := json.Unmarshal([]byte(in.run(t, "quarantine", "inspect", "files", "-o", "json")), &page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.Launch.Isolation, "docker image node:20, network bridge") {
		t.Errorf("the page to review says of isolation: %q", page.Launch.Isolation)
	}
	in.run(t, "quarantine", "approve", "files", "--hash", page.Hash)
	a := newAgent(t, in)
	realtest.Until(t, "the server", func() error {
		_, err := a.s.Call(t.Context(), "call_tool_read", map[string]any{"id": "files:list_allowed_directories", "arguments": map[string]any{}})
		return err
	})
	if got := a.call("call_tool_read", "files:list_allowed_directories", map[string]any{}); !strings.Contains(got, "/app") {
		t.Errorf("list_allowed_directories = %q", got)
	}
	if got := in.run(t, "upstream", "list"); !strings.Contains(got, "docker node:20") {
		t.Errorf("upstream list does not say where it runs:\n%s", got)
	}
}

func testDockerDoctor(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"}) {
		t.Skip("the probe is this binary, which must be static: CGO_ENABLED=0")
	}
	in := serveIsolated(t, map[string]any{"s": isolated()})
	check := func() {
		t.Helper()
		var r client.IsolationReport
		if err := json.Unmarshal([]byte(in.run(t, "doctor", "isolation", "s", "-o", "json")), &r); err != nil {
			t.Fatal(err)
		}
		if !r.Inside || !r.OK || len(r.Checks) < 16 {
			t.Errorf("report = %+v", r)
		}
	}
	check()
	if err := in.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = in.cmd.Wait()
	check() // without an instance
}

// After kill -9 of the proxy, nothing of the killed run is there 10 s after the
// next start; after a clean end nothing at all.
func testDockerKill(t *testing.T) {
	cycles := 3
	if text := os.Getenv("MCPPROXY_SOAK_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		cycles = n
	}
	in := serveIsolated(t, map[string]any{"stubborn": isolated("stubborn"), "heeding": isolated()})
	for i := range cycles {
		before := strings.Fields(in.containers(t))
		commands := dockerCommands(t, in.cmd.Process.Pid)
		if i%2 == 1 { // in the middle of a start
			in.run(t, "upstream", "restart", "stubborn")
			<-time.After(time.Duration(i*37%400) * time.Millisecond)
		}
		if err := in.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = in.cmd.Wait()
		in.start(t)
		started := time.Now()
		realtest.Until(t, "the earlier run's containers and commands to be gone", func() error {
			now := strings.Fields(in.containers(t))
			for _, id := range before {
				if slices.Contains(now, id) {
					return fmt.Errorf("container %s", id)
				}
			}
			for _, pid := range commands {
				if err := gone(pid); err != nil {
					return err
				}
			}
			if len(now) != 2 {
				return fmt.Errorf("containers %v, want 2", now)
			}
			return nil
		})
		if took := time.Since(started); took > 10*time.Second {
			t.Errorf("cycle %d: clean %s after the start", i, took)
		}
	}
	t.Logf("%d kills", cycles)
	if err := in.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = in.cmd.Wait()
	if left := in.containers(t); left != "" {
		t.Errorf("containers after a clean end: %s", left)
	}
}

// dockerCommands returns the children of a process, which are docker commands
// here.
func dockerCommands(t *testing.T, parent int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		stat, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// Another image is another server: by name, and behind the same name.
func testDockerImageChanges(t *testing.T) {
	runDocker(t, "tag", dockertest.Image, "mcpproxy-fixture:other")
	runDocker(t, "tag", dockertest.Image, "mcpproxy-fixture:moves")
	s := isolated()
	moves := s["isolation"].(map[string]any)
	moves["image"] = "mcpproxy-fixture:moves"
	in := serveIsolated(t, map[string]any{"s": s})
	a := newAgent(t, in)
	try := func() error {
		_, err := a.s.Call(t.Context(), "call_tool_destructive", map[string]any{"id": "s:echo", "arguments": map[string]any{"text": "hi"}})
		return err
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
	held := func(why string) {
		t.Helper()
		realtest.Until(t, "the server to be held", func() error {
			if got := in.run(t, "quarantine", "list"); !strings.Contains(got, why) {
				return errors.New(got)
			}
			return nil
		})
		if err := try(); err == nil {
			t.Error("a held server was called")
		}
	}

	runDocker(t, "tag", "node:20", "mcpproxy-fixture:moves") // as docker pull may do
	in.run(t, "upstream", "restart", "s")
	held("the image of that name was")

	runDocker(t, "tag", dockertest.Image, "mcpproxy-fixture:moves")
	var page client.Waiting
	if err := json.Unmarshal([]byte(in.run(t, "quarantine", "inspect", "s", "-o", "json")), &page); err != nil {
		t.Fatal(err)
	}
	if page.State != "approved" || !strings.HasPrefix(page.Launch.ImageID, "sha256:") {
		t.Errorf("page after the approved image is back = %s, image %q", page.State, page.Launch.ImageID)
	}

	moves["image"] = "mcpproxy-fixture:other"
	in.configure(t, map[string]any{"s": s})
	held("isolation was")

	in.run(t, "upstream", "remove", "s")
	if left := runDocker(t, "volume", "ls", "--quiet", "--filter", in.label(t)); left != "" {
		t.Errorf("volumes of a removed server: %s", left)
	}
}

// A value in env reaches the container and nothing else: no command line of any
// process, no file of the data directory, no log.
func testDockerCanary(t *testing.T) {
	const canary = "canary-b2f1c7"
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 1)
	go func() {
		defer close(seen)
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				if line, _ := os.ReadFile(file); strings.Contains(string(line), canary) {
					seen <- string(line)
					return
				}
			}
		}
	}()
	s := isolated()
	s["env"] = map[string]string{"API_KEY": "${env:MCPPROXY_TEST_CANARY}", "PATH": "${env:MCPPROXY_TEST_CANARY}"}
	in := serveIsolated(t, map[string]any{"s": s}, "MCPPROXY_TEST_CANARY="+canary)
	a := newAgent(t, in)
	for _, name := range []string{"API_KEY", "PATH"} {
		if got := a.call("call_tool_destructive", "s:env", map[string]any{"text": name}); got != canary {
			t.Errorf("%s in the container = %q", name, got)
		}
	}
	cancel()
	if line, ok := <-seen; ok {
		t.Errorf("a command line holds it: %q", line)
	}
	err := filepath.WalkDir(in.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), canary) {
			t.Errorf("%s holds it", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
