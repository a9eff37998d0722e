//go:build unix

package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcpproxy/internal/realtest"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/docker/dockertest"
)

// yard is a pool whose servers run in containers.
type yard struct {
	t    *testing.T
	d    *Docker
	pool *upstream.Pool
}

func newYard(t *testing.T, opt Options) *yard {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	d, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t: t, d: d, pool: upstream.NewPool(upstream.Options{Dial: upstream.DialEnv{Isolator: d}})}
	t.Cleanup(func() {
		y.close()
		for id := range strings.FieldsSeq(y.ask("volume", "ls", "-q", "--filter", "label="+labelInstance+"="+d.instance)) {
			y.ask("volume", "rm", "--force", id)
		}
	})
	return y
}

// close ends the servers; no container may be left then.
func (y *yard) close() {
	y.t.Helper()
	if err := y.pool.Close(); err != nil {
		y.t.Errorf("Close: %v", err)
	}
	if left := y.containers(); left != "" {
		y.t.Errorf("containers after Close:\n%s", left)
	}
}

// ask runs a docker command of the test itself.
func (y *yard) ask(args ...string) string {
	y.t.Helper()
	out, err := y.d.docker(context.Background(), args...)
	if err != nil {
		y.t.Errorf("docker %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// containers lists those of the yard, running or not.
func (y *yard) containers(filters ...string) string {
	y.t.Helper()
	args := []string{"ps", "--all", "--quiet", "--filter", "label=" + labelInstance + "=" + y.d.instance}
	for _, f := range filters {
		args = append(args, "--filter", f)
	}
	return y.ask(args...)
}

func fixture(name string, change func(*upstream.Spec)) upstream.Spec {
	s := upstream.Spec{Name: name, Transport: upstream.Stdio, Command: "/fixture",
		Isolation: &upstream.Isolation{Image: dockertest.Image, Network: "none", Memory: "64m", Timeout: 20 * time.Second}}
	if change != nil {
		change(&s)
	}
	return s
}

func (y *yard) apply(specs ...upstream.Spec) {
	y.t.Helper()
	if err := y.pool.Apply(y.t.Context(), specs); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) status(name string) upstream.Status {
	y.t.Helper()
	for _, s := range y.pool.Status() {
		if s.Name == name {
			return s
		}
	}
	y.t.Fatalf("no server %q", name)
	return upstream.Status{}
}

// await waits until ok.
func (y *yard) await(what string, ok func() bool) {
	y.t.Helper()
	realtest.Until(y.t, what, func() error {
		if ok() {
			return nil
		}
		return fmt.Errorf("servers: %+v", y.pool.Status())
	})
}

func (y *yard) ready(names ...string) {
	y.t.Helper()
	for _, name := range names {
		y.await(name+" to be ready", func() bool { return y.status(name).State == upstream.Ready })
	}
}

func (y *yard) try(server, name string, args map[string]any) (string, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	if args == nil {
		raw = nil
	}
	result, err := y.pool.Call(y.t.Context(), upstream.Call{ID: tool.ID{Server: server, Name: name}, Arguments: raw})
	if err != nil {
		return "", err
	}
	var answer struct {
		Content []struct{ Text string }
	}
	if err := json.Unmarshal(result.Raw, &answer); err != nil || len(answer.Content) != 1 {
		return "", fmt.Errorf("result %s: %w", result.Raw, err)
	}
	return answer.Content[0].Text, nil
}

func (y *yard) call(server, name string, args map[string]any) string {
	y.t.Helper()
	text, err := y.try(server, name, args)
	if err != nil {
		y.t.Fatalf("%s:%s: %v", server, name, err)
	}
	return text
}

func TestDocker(t *testing.T) {
	dockertest.Need(t)
	for name, test := range map[string]func(*testing.T){
		"JSONRPC": testJSONRPC, "MemoryLimit": testMemoryLimit, "Network": testNetwork, "Reach": testReach, "Harm": testHarm,
		"Parallel": testParallel, "CommandKilled": testCommandKilled, "ContainerKilled": testContainerKilled,
		"IgnoresEOF": testIgnoresEOF, "NoSuchProgram": testNoSuchProgram, "NoSuchImage": testNoSuchImage, "Sweep": testSweep,
		"Mounts": testMounts, "Examine": testExamine, "Pull": testPull, "DaemonStops": testDaemonStops,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func testJSONRPC(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("one", func(s *upstream.Spec) {
		s.Env = map[string]string{"API_KEY": "line one\nline two", "PATH": "/elsewhere", "LD_PRELOAD": "x"}
	}))
	y.ready("one")
	if got := y.call("one", "echo", map[string]any{"text": "héllo"}); got != "héllo" {
		t.Errorf("echo = %q", got)
	}
	for name, want := range map[string]string{"API_KEY": "line one\nline two", "PATH": "/elsewhere", "LD_PRELOAD": "x", "HOME": home} {
		if got := y.call("one", "env", map[string]any{"text": name}); got != want {
			t.Errorf("env %s = %q, want %q", name, got, want)
		}
	}
	if said := y.ask("logs", y.containers()); !strings.Contains(said, "fixture") {
		t.Errorf("docker logs = %q", said)
	}
	pid := strconv.Itoa(y.status("one").PID)
	for _, file := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(filepath.Join("/proc", pid, file))
		if err != nil || strings.Contains(string(data), "line one") {
			t.Errorf("%s of the docker command holds a value: %v", file, err)
		}
	}
}

func testMemoryLimit(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("hungry", nil))
	y.ready("hungry")
	if got := y.call("hungry", "allocate", map[string]any{"mb": 20}); got != "20" {
		t.Errorf("allocate 20 MB of 64 = %q", got)
	}
	_, err := y.try("hungry", "allocate", map[string]any{"mb": 200})
	if err == nil || !strings.Contains(err.Error(), "ran out of its 64m memory limit: raise isolation.memory_limit") {
		t.Errorf("allocate 200 MB of 64 = %v, want the limit by name", err)
	}
	y.ready("hungry")
	if got := y.call("hungry", "echo", map[string]any{"text": "again"}); got != "again" {
		t.Errorf("echo after the restart = %q", got)
	}
}

func testNetwork(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("none", nil), fixture("bridge", func(s *upstream.Spec) { s.Isolation.Network = "bridge" }))
	y.ready("none", "bridge")
	subnet, err := netip.ParsePrefix(y.ask("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"))
	if err != nil {
		t.Fatal(err)
	}
	gateway := subnet.Masked().Addr().Next().String()
	if got := y.call("none", "dial", map[string]any{"text": gateway + ":9"}); !strings.Contains(got, "unreachable") {
		t.Errorf("dial without a network = %q", got)
	}
	if got := y.call("bridge", "dial", map[string]any{"text": gateway + ":9"}); !strings.Contains(got, "refused") {
		t.Errorf("dial of a closed port over the bridge = %q, want it refused: packets pass", got)
	}
	if os.Getenv("MCPPROXY_TEST_METADATA") == "" {
		return
	}
	if out := y.ask("run", "--rm", "node:20", "node", "-e", connectScript); out != "open" {
		t.Errorf("a plain container sees the metadata service as %q, want it open: this test shows nothing", out)
	}
	if got := y.call("bridge", "dial", map[string]any{"text": metadataAddr}); got == "open" {
		t.Error("the metadata service is in reach")
	}
}

const connectScript = `require("net").connect(80, "169.254.169.254").on("connect", () => { process.stdout.write("open"); process.exit() })` +
	`.on("error", e => { process.stdout.write(String(e)); process.exit() })`

// What a hostile server can reach, from inside a container with default
// settings.
func testReach(t *testing.T) {
	y := newYard(t, Options{})
	open := func(s *upstream.Spec) { s.Isolation = &upstream.Isolation{Image: dockertest.Image} }
	y.apply(fixture("hostile", open), fixture("victim", open))
	y.ready("hostile", "victim")
	if got := y.call("victim", "keep", map[string]any{"text": "victims-token"}); got != "kept" {
		t.Fatalf("a home that cannot be written: %s", got)
	}
	var in Inside
	if err := json.Unmarshal([]byte(y.call("hostile", "reach", nil)), &in); err != nil {
		t.Fatal(err)
	}
	p, err := y.d.plan(fixture("hostile", open))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range judge(in, p) {
		t.Logf("%-16s %s", c.What, c.Found)
		if !c.OK {
			t.Errorf("%s: %s: %s", c.What, c.Found, c.Advice)
		}
	}
	if got := y.call("hostile", "root", nil); got != "" {
		t.Errorf("it could: %s", got)
	}
	if all := y.call("hostile", "list", map[string]any{"text": "/"}); strings.Contains(all, "victims-token") {
		t.Error("it sees the home of another server")
	}
	if got := y.call("victim", "list", map[string]any{"text": home}); !strings.Contains(got, "victims-token") {
		t.Error("the victim does not see its own home: this test shows nothing")
	}
}

// A server that does harm hurts itself alone.
func testHarm(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("harmful", func(s *upstream.Spec) { s.Isolation.Memory = "512m" }), fixture("sibling", nil))
	y.ready("harmful", "sibling")
	stop := y.watch("sibling")
	defer stop()
	if n, err := strconv.Atoi(y.call("harmful", "bomb", nil)); err != nil || n < 50 || n > 256 {
		t.Errorf("a fork bomb started %d processes, want at most 256", n)
	}
	if got := y.call("harmful", "fill", map[string]any{"text": home, "mb": 5 << 10}); got != "2048" {
		t.Errorf("of 5 GB in one file %s MB were written, want 2048", got)
	}
	if got := y.call("harmful", "fill", map[string]any{"text": "/", "mb": 1}); got != "0" {
		t.Errorf("%s MB were written into the image", got)
	}
	if most := stop(); most > 5*time.Second {
		t.Errorf("the sibling waited %s for an answer", most)
	}
}

// watch calls a server without a pause. stop ends that and returns how long the
// slowest answer took.
func (y *yard) watch(server string) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(y.t.Context())
	var most time.Duration
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			if _, err := y.try(server, "echo", map[string]any{"text": "x"}); err != nil {
				y.t.Errorf("%s: %v", server, err)
				return
			}
			most = max(most, time.Since(began))
		}
	})
	return func() time.Duration {
		cancel()
		wg.Wait()
		y.t.Logf("slowest answer of %s: %s", server, most)
		return most
	}
}

func testParallel(t *testing.T) {
	y := newYard(t, Options{})
	var specs []upstream.Spec
	for i := range 8 {
		specs = append(specs, fixture(fmt.Sprint("server ", i), nil))
	}
	began := time.Now()
	y.apply(specs...)
	for _, s := range specs {
		y.ready(s.Name)
		if got := y.call(s.Name, "echo", map[string]any{"text": s.Name}); got != s.Name {
			t.Errorf("echo of %s = %q", s.Name, got)
		}
	}
	t.Logf("8 servers ready in %s", time.Since(began))
	if n := len(strings.Fields(y.containers())); n != 8 {
		t.Errorf("%d containers, want 8", n)
	}
}

func testCommandKilled(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("s", func(s *upstream.Spec) { s.Args = []string{"stubborn"} }))
	y.ready("s")
	first := y.containers()
	if err := syscall.Kill(y.status("s").PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	y.await("another container", func() bool { now := y.containers("status=running"); return now != "" && now != first })
	y.ready("s")
	if now := y.containers(); strings.Contains(now, first) || len(strings.Fields(now)) != 1 {
		t.Errorf("containers = %q, want one that is not %q", now, first)
	}
}

func testContainerKilled(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("s", nil))
	y.ready("s")
	first := y.containers()
	y.ask("kill", first)
	y.await("the loss to show", func() bool {
		return strings.Contains(y.status("s").Error, "killed from outside") || y.containers() != first
	})
	y.await("another container", func() bool { now := y.containers("status=running"); return now != "" && now != first })
	y.ready("s")
}

func testIgnoresEOF(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("stubborn", func(s *upstream.Spec) { s.Args = []string{"stubborn"} }))
	y.ready("stubborn")
	began := time.Now()
	y.close()
	t.Logf("a stubborn server is gone after %s", time.Since(began))
}

func testNoSuchProgram(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("s", func(s *upstream.Spec) { s.Command = "/no/such" }))
	y.await("the fault", func() bool {
		return strings.Contains(y.status("s").Error, `image `+dockertest.Image+` cannot run "/no/such"`)
	})
}

func testNoSuchImage(t *testing.T) {
	y := newYard(t, Options{})
	y.apply(fixture("s", func(s *upstream.Spec) { s.Isolation.Image = "localhost:1/no-such:1" }), fixture("other", nil))
	y.await("the fault", func() bool { return strings.Contains(y.status("s").Error, "pull localhost:1/no-such:1") })
	y.ready("other")
}

// Sweep removes what earlier runs of the instance left, and nothing else.
func testSweep(t *testing.T) {
	dir := t.TempDir()
	earlier, other := newYard(t, Options{Dir: dir}), newYard(t, Options{})
	earlier.apply(fixture("s", nil))
	other.apply(fixture("s", nil))
	earlier.ready("s")
	other.ready("s")
	now := newYard(t, Options{Dir: dir})
	now.apply(fixture("new", nil))
	now.ready("new") // a start sweeps
	if left := now.containers("label=" + labelRun + "=" + earlier.d.run); left != "" && earlier.status("s").State == upstream.Ready {
		t.Errorf("a container of an earlier run is left: %s", left)
	}
	if err := earlier.pool.Close(); err != nil {
		t.Error(err)
	}
	if err := now.d.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := now.containers(); len(strings.Fields(left)) != 1 || now.status("new").State != upstream.Ready {
		t.Errorf("containers of the instance = %q, want its own one", left)
	}
	if other.containers() == "" {
		t.Error("the container of another instance is gone")
	}
}

func testMounts(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "note"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	y := newYard(t, Options{})
	mounted := func(mode string) func(*upstream.Spec) {
		return func(s *upstream.Spec) { s.Isolation.Mounts, s.WorkingDir = []string{dir + ":/notes" + mode}, dir }
	}
	y.apply(fixture("read", mounted("")), fixture("write", mounted(":rw")))
	y.ready("read", "write")
	if got := y.call("read", "list", map[string]any{"text": "."}); !strings.Contains(got, "note") {
		t.Errorf("its working directory holds %q", got)
	}
	if got := y.call("read", "fill", map[string]any{"text": "/notes", "mb": 1}); got != "0" {
		t.Errorf("%s MB were written into a read-only mount", got)
	}
	if got := y.call("write", "fill", map[string]any{"text": "/notes", "mb": 1}); got != "1" {
		t.Errorf("%s MB were written into a writable mount", got)
	}
}

func testExamine(t *testing.T) {
	y := newYard(t, Options{})
	r, err := y.d.Examine(t.Context(), fixture("s", nil), "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Inside || len(r.Checks) < 10 || !strings.HasPrefix(r.ID, "sha256:") {
		t.Errorf("report = %+v", r)
	}
	for _, c := range r.Checks {
		if !c.OK {
			t.Errorf("%s: %s: %s", c.What, c.Found, c.Advice)
		}
	}
}

// The daemon stops and starts again while a server runs.
func testDaemonStops(t *testing.T) {
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		t.Skip("needs dockerd and root, to stop a daemon of its own: .ci/part-docker.sh")
	}
	d := newDaemon(t)
	d.start()
	dockertest.Import(t, d.command)
	y := newYard(t, Options{Command: d.command})
	y.apply(fixture("s", nil))
	y.ready("s")
	changes := y.pool.Changes().Subscribe()
	defer changes.Close()
	d.stop()
	y.await("the loss", func() bool { return y.status("s").State == upstream.BackingOff })
	y.await("the cause", func() bool { return strings.Contains(y.status("s").Error, "docker is not running") })
	d.start()
	if _, err := y.try("s", "echo", map[string]any{"text": "x"}); err != nil { // wakes it; else the back-off does
		t.Logf("first call: %v", err)
	}
	y.ready("s")
	if got := y.call("s", "echo", map[string]any{"text": "back"}); got != "back" {
		t.Errorf("echo = %q", got)
	}
}

// daemon is a dockerd without a network. command is a docker command for it.
type daemon struct {
	t       *testing.T
	dir     string
	command string
	cmd     *exec.Cmd
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "mcpproxy-daemon-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: dir, command: filepath.Join(dir, "docker")}
	script := fmt.Sprintf("#!/bin/sh\nexec docker -H unix://%s/s \"$@\"\n", dir)
	if err := os.WriteFile(d.command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.stop()
		_ = os.RemoveAll(dir)
	})
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command("unshare", "--net", "dockerd", "--data-root", d.dir+"/root", "--exec-root", d.dir+"/exec", "--pidfile", d.dir+"/pid",
		"-H", "unix://"+d.dir+"/s", "--bridge=none", "--iptables=false", "--ip6tables=false") // in a network of its own: it removes docker0
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	realtest.Until(d.t, "dockerd", func() error {
		err := exec.Command(d.command, "version").Run()
		if err != nil {
			said, _ := os.ReadFile(log.Name())
			err = fmt.Errorf("%w:\n%s", err, said)
		}
		return err
	})
}

func (d *daemon) stop() {
	if d.cmd != nil {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}
