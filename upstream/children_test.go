//go:build unix

package upstream

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpproxy/internal/realtest"
)

var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT}

// pidRuns reports whether pid runs; an unreaped dead process does not.
func pidRuns(pid int) bool {
	return syscall.Kill(pid, 0) == nil && !isZombie(pid)
}

func TestDialStdio_CloseEndsWholeTree(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ first, second string }{
		"child and grandchild ignore everything": {"tree", "stubborn"},
		"child heeds EOF, grandchild does not":   {"leaves", "stubborn"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pids")
			s := childSpec(tc.first)
			s.Env[childPIDsEnv] = file
			c, err := dialProcess(t.Context(), s, DialEnv{}, quick)
			if err != nil {
				t.Fatal(err)
			}
			pids := awaitPIDs(t, file, 2)
			c.Close()
			for mode, pid := range pids {
				if pidRuns(pid) {
					t.Errorf("%s (pid %d) runs after Close", mode, pid)
				}
			}
		})
	}
}

func TestDialStdio_ExitIsSeenDespiteGrandchildOnStdout(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pids")
	s := childSpec("leaves")
	s.Env[childPIDsEnv] = file
	c, err := dialProcess(t.Context(), s, DialEnv{}, quick)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pids := awaitPIDs(t, file, 2)
	if err := c.SendNotification(t.Context(), dialNote("go", nil)); err != nil {
		t.Fatal(err)
	}
	awaitDone(t, c, 5*time.Second)
	realtest.Within(t, 5*time.Second, "end of the grandchild", func() bool { return !pidRuns(pids["stubborn"]) })
}

func TestDialStdio_DefaultLadderTakesFiveSeconds(t *testing.T) {
	t.Parallel()
	s := childSpec("stubborn")
	s.Env[childPIDsEnv] = filepath.Join(t.TempDir(), "pids")
	c, err := dialStdio(t.Context(), s, DialEnv{})
	if err != nil {
		t.Fatal(err)
	}
	awaitPIDs(t, s.Env[childPIDsEnv], 1)
	begin := time.Now()
	c.Close()
	if took := time.Since(begin); took < 4900*time.Millisecond || took > 7*time.Second {
		t.Errorf("Close took %v, want about 5 s", took)
	}
}

// startKilledProxy runs a proxy with an "echo" and a "tree" child, kills it with
// SIGKILL and returns the pids of its descendants.
func startKilledProxy(t *testing.T, dir string) map[string]int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pids")
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildProcess$")
	cmd.Env = append(os.Environ(), childModeEnv+"=proxy", childDirEnv+"="+dir, childPIDsEnv+"="+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pids := awaitPIDs(t, file, 4) // proxy, echo, tree, stubborn
	t.Cleanup(func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if line != "dialed\n" {
		t.Fatalf("the proxy said %q, want dialed", line)
	}
	return pids
}

func TestChildren_Sweep_EndsStraysOfKilledProxy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := startKilledProxy(t, dir)
	realtest.Within(t, 2*time.Second, "end of the child that heeds EOF", func() bool { return !pidRuns(pids["echo"]) })
	if !pidRuns(pids["tree"]) || !pidRuns(pids["stubborn"]) {
		t.Fatal("the stubborn children ended by themselves; the test shows nothing")
	}
	c, err := OpenChildren(dir)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	ended, err := c.Sweep(t.Context())
	if err != nil || ended != 1 {
		t.Errorf("Sweep = %d, %v; want 1, nil", ended, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Sweep took %v, want at most 10 s", took)
	}
	if pidRuns(pids["tree"]) || pidRuns(pids["stubborn"]) {
		t.Error("a stray runs after Sweep")
	}
	expectRecords(t, dir, 0)
}

func TestChildren_Sweep_FindsGroupWhoseLeaderIsGone(t *testing.T) {
	t.Parallel()
	if !canReadMarks {
		t.Skip("the environment of other processes cannot be read on this system")
	}
	dir := t.TempDir()
	pids := startKilledProxy(t, dir)
	_ = syscall.Kill(pids["tree"], syscall.SIGKILL)
	realtest.Within(t, 5*time.Second, "end of the leader and of the child that heeds EOF", func() bool {
		return !pidRuns(pids["tree"]) && !pidRuns(pids["echo"])
	})
	c, err := OpenChildren(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.ladder = quick
	if ended, err := c.Sweep(t.Context()); err != nil || ended != 1 {
		t.Errorf("Sweep = %d, %v; want 1, nil", ended, err)
	}
	if pidRuns(pids["stubborn"]) {
		t.Error("the grandchild runs after Sweep")
	}
}

func TestChildren_Sweep_SparesOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stranger := dialChild(t, "echo", DialEnv{}, quick)
	ours, err := OpenChildren(dir)
	if err != nil {
		t.Fatal(err)
	}
	mine := dialChild(t, "echo", DialEnv{Children: ours}, quick)
	for name, r := range map[string]child{
		"reused.json": {PID: stranger.PID, Start: "another boot/1", Instance: "old", Mark: "m"},
		"self.json":   {PID: os.Getpid(), Start: startOf(t, os.Getpid()), Instance: "old"},
		"init.json":   {PID: 1, Start: startOf(t, 1), Instance: "old"},
		"gone.json":   {PID: 1 << 30, Start: "x", Instance: "old", Mark: "m"},
	} {
		data, _ := json.Marshal(r)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "torn.json"), []byte(`{"pid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, err := ours.Sweep(t.Context())
	if err != nil || ended != 0 {
		t.Errorf("Sweep = %d, %v; want 0, nil", ended, err)
	}
	for name, c := range map[string]*Conn{"a reused pid": stranger, "our own child": mine} {
		if _, err := c.SendRequest(t.Context(), rpc(1, "ping")); err != nil {
			t.Errorf("Sweep ended %s: %v", name, err)
		}
	}
	expectRecords(t, dir, 1)
	mine.Close()
	expectRecords(t, dir, 0)
}

func TestChildren_RecordIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "children")
	c, err := OpenChildren(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := childSpec("echo")
	s.Args = append(s.Args, "CANARY")
	conn, err := dialStdio(t.Context(), s, DialEnv{Children: c})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, e := range expectRecords(t, dir, 1) {
		info, _ := e.Info()
		data, _ := os.ReadFile(filepath.Join(dir, e.Name()))
		if info.Mode().Perm() != 0o600 || strings.Contains(string(data), "CANARY") {
			t.Errorf("record %s: mode %v, %s", e.Name(), info.Mode(), data)
		}
	}
}

func expectRecords(t *testing.T, dir string, n int) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != n {
		t.Errorf("%d records in %s (%v), want %d", len(entries), dir, err, n)
	}
	return entries
}

func startOf(t *testing.T, pid int) string {
	t.Helper()
	s, err := processStart(pid)
	if err != nil {
		t.Skipf("start time of pid %d: %v", pid, err)
	}
	return s
}
