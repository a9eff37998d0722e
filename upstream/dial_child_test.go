package upstream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"mcpproxy/internal/realtest"
)

// The variables that steer this test binary when it runs as a child.
const (
	childModeEnv = "UPSTREAM_TEST_CHILD"
	childPIDsEnv = "UPSTREAM_TEST_PIDS" // file to which every process of the tree appends its pid
	childDirEnv  = "UPSTREAM_TEST_DIR"  // of mode proxy: the record of children
)

// TestChildProcess is no test: the other tests start it as a child process.
func TestChildProcess(t *testing.T) {
	mode := os.Getenv(childModeEnv)
	if mode == "" {
		t.Skip("runs only as a child of other tests")
	}
	if mode == "stubborn" || mode == "tree" {
		signal.Ignore(stopSignals...) // before anyone learns our pid
	}
	if file := os.Getenv(childPIDsEnv); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			os.Exit(90)
		}
		fmt.Fprintf(f, "%s %d\n", mode, os.Getpid())
		f.Close()
	}
	runChild(mode)
	os.Exit(0)
}

func runChild(mode string) {
	switch mode {
	case "echo":
		answerLines()
	case "exit3":
		fmt.Fprintln(os.Stderr, "no such database CANARY")
		os.Exit(3)
	case "long-line":
		writeForever(os.Stdout, strings.Repeat("x", 1<<20))
	case "spam": // 100 MB
		line := strings.Repeat("s", 1023) + "\n"
		for range 100 << 10 {
			io.WriteString(os.Stderr, line)
		}
		answerLines()
	case "deaf":
		time.Sleep(time.Hour) // select{} alone would be a deadlock to the runtime without cgo
	case "last":
		fmt.Println(`{"jsonrpc":"2.0","id":1,"result":{"last":true}}`)
	case "stubborn":
		stubborn()
	case "tree":
		grandchild("stubborn", false)
		stubborn()
	case "leaves":
		grandchild("stubborn", true)
		waitLine()
	case "proxy":
		runProxy()
	default:
		os.Exit(91)
	}
}

func writeForever(w io.Writer, s string) {
	for {
		if _, err := io.WriteString(w, s); err != nil {
			return
		}
	}
}

func stubborn() {
	for {
		time.Sleep(time.Hour)
	}
}

func waitLine() { bufio.NewReader(os.Stdin).ReadString('\n') }

// grandchild starts a descendant, on our stdout if share is set.
func grandchild(mode string, share bool) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildProcess$")
	cmd.Env = append(os.Environ(), childModeEnv+"="+mode)
	if share {
		cmd.Stdout = os.Stdout
	}
	if err := cmd.Start(); err != nil {
		os.Exit(92)
	}
}

// answerLines answers each request with its method and the environment.
func answerLines() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 32<<20)
	for in.Scan() {
		var r struct {
			ID     json.RawMessage
			Method string
		}
		if json.Unmarshal(in.Bytes(), &r) != nil || r.ID == nil {
			continue
		}
		if r.Method == "die" {
			os.Exit(4)
		}
		dir, _ := os.Getwd()
		result, _ := json.Marshal(map[string]any{"method": r.Method, "env": os.Environ(), "dir": dir, "args": os.Args})
		fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", r.ID, result)
	}
}

// runProxy dials a few children as the proxy would, and hangs.
func runProxy() {
	children, err := OpenChildren(os.Getenv(childDirEnv))
	if err != nil {
		os.Exit(93)
	}
	for _, mode := range []string{"echo", "tree"} {
		s := childSpec(mode)
		s.Env[childPIDsEnv] = os.Getenv(childPIDsEnv)
		if _, err := dialStdio(context.Background(), s, DialEnv{Children: children}); err != nil {
			os.Exit(94)
		}
	}
	fmt.Println("dialed")
	time.Sleep(time.Hour)
}

// childSpec is a Spec that runs this test binary in mode.
func childSpec(mode string) Spec {
	return Spec{
		Name: "srv", Transport: Stdio,
		Command: os.Args[0], Args: []string{"-test.run=^TestChildProcess$"},
		Env: map[string]string{childModeEnv: mode},
	}
}

// quick is a ladder for tests that climb it.
var quick = stopLadder{drain: 200 * time.Millisecond, eof: 200 * time.Millisecond, term: 200 * time.Millisecond, kill: 5 * time.Second}

func dialChild(t *testing.T, mode string, env DialEnv, ladder stopLadder) *Conn {
	t.Helper()
	c, err := dialProcess(t.Context(), childSpec(mode), env, ladder)
	if err != nil {
		t.Fatalf("dial %s: %v", mode, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func rpc(id int64, method string) transport.JSONRPCRequest {
	return transport.JSONRPCRequest{JSONRPC: "2.0", ID: mcp.NewRequestId(id), Method: method}
}

func dialNote(method string, params any) mcp.JSONRPCNotification {
	n := mcp.JSONRPCNotification{JSONRPC: "2.0"}
	n.Method = method
	n.Params.AdditionalFields = map[string]any{"x": params}
	return n
}

// awaitDone fails unless c is lost within d, and returns why.
func awaitDone(t *testing.T, c *Conn, d time.Duration) error {
	t.Helper()
	select {
	case <-c.Done:
		return c.Err()
	case <-time.After(d):
		t.Fatalf("Done is open after %v", d)
		return nil
	}
}

// awaitPIDs returns the pids that n processes wrote to file, by mode.
func awaitPIDs(t *testing.T, file string, n int) map[string]int {
	t.Helper()
	pids := map[string]int{}
	realtest.Within(t, 10*time.Second, fmt.Sprintf("%d processes in %s", n, file), func() bool {
		data, _ := os.ReadFile(file)
		clear(pids)
		for line := range strings.Lines(string(data)) {
			mode, pid, ok := strings.Cut(strings.TrimSpace(line), " ")
			if p, err := strconv.Atoi(pid); ok && err == nil {
				pids[mode] = p
			}
		}
		return len(pids) >= n
	})
	return pids
}
