package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestDialStdio_SpeaksAndInheritsOnlyTheAllowList(t *testing.T) {
	t.Setenv("UPSTREAM_TEST_SECRET", "CANARY")
	s := childSpec("echo")
	s.WorkingDir = t.TempDir()
	s.Args = append(s.Args, "${arg}")
	s.Env["TOKEN"] = "${token}"
	expand := func(text string) (string, error) {
		return strings.NewReplacer("${arg}", "expanded", "${token}", "secret").Replace(text), nil
	}
	c, err := dialStdio(t.Context(), s, DialEnv{Expand: expand})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	resp, err := c.SendRequest(t.Context(), rpc(1, "ping"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Method, Dir string
		Env, Args   []string
	}
	if err := json.Unmarshal(resp.Result, &got); err != nil {
		t.Fatal(err)
	}
	if got.Method != "ping" || c.PID == 0 || c.Err() != nil {
		t.Errorf("method %q, pid %d, Err %v; want ping, a pid, nil", got.Method, c.PID, c.Err())
	}
	if want, _ := filepath.EvalSymlinks(s.WorkingDir); got.Dir != want {
		t.Errorf("directory %q, want %q", got.Dir, want)
	}
	if !slices.Contains(got.Env, "TOKEN=secret") || !slices.Contains(got.Args, "expanded") {
		t.Errorf("placeholders not expanded: env %q, args %q", got.Env, got.Args)
	}
	if strings.Contains(strings.Join(got.Env, "\n"), "CANARY") {
		t.Errorf("the child inherited a variable that is not on the list")
	}
}

func TestDialStdio_ConfigFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	fail := func(string) (string, error) { return "", errors.New("${env:X} is not set") }
	cases := map[string]struct {
		spec   Spec
		expand func(string) (string, error)
		want   string
	}{
		"no command":           {Spec{}, nil, "no command"},
		"not on PATH":          {Spec{Command: "no-such-command-zz"}, nil, `command "no-such-command-zz" not found on PATH: install it or give its full path`},
		"not on its own PATH":  {Spec{Command: "sh", Env: map[string]string{"PATH": dir}}, nil, "not found on PATH"},
		"missing file":         {Spec{Command: filepath.Join(dir, "gone")}, nil, "does not exist"},
		"not executable":       {Spec{Command: plain}, nil, "is not executable"},
		"missing interpreter":  {Spec{Command: broken}, nil, "interpreter"},
		"missing working_dir":  {Spec{Command: "sh", WorkingDir: filepath.Join(dir, "gone")}, nil, "working_dir"},
		"working_dir a file":   {Spec{Command: "sh", WorkingDir: plain}, nil, "not a directory"},
		"placeholder in env":   {Spec{Command: "sh", Env: map[string]string{"A": "v"}}, fail, `env "A": ${env:X} is not set`},
		"placeholder in args":  {Spec{Command: "sh", Args: []string{"v"}}, fail, `args[0]: ${env:X} is not set`},
		"relative to its home": {Spec{Command: "./gone", WorkingDir: dir}, nil, "does not exist"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := dialStdio(t.Context(), c.spec, DialEnv{Expand: c.expand})
			if err == nil {
				conn.Close()
			}
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one wrapping ErrConfig with %q", err, c.want)
			}
		})
	}
}

func TestDialStdio_EndedContextStartsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dialStdio(ctx, childSpec("echo"), DialEnv{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestDialStdio_OutlivesContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c, err := dialStdio(ctx, childSpec("echo"), DialEnv{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if _, err := c.SendRequest(t.Context(), rpc(1, "ping")); err != nil {
		t.Errorf("request after the end of the dial context: %v", err)
	}
}

func TestDialStdio_ExitExplainsWithoutStderr(t *testing.T) {
	t.Parallel()
	var sink lockedBuffer
	c := dialChild(t, "exit3", DialEnv{Stderr: func(string) io.WriteCloser { return &sink }}, quick)
	err := awaitDone(t, c, 10*time.Second)
	for _, want := range []string{"exited with status 3", "mcpproxy upstream logs srv"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Err() = %v, want %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "CANARY") {
		t.Errorf("Err() = %v holds stderr text", err)
	}
	if _, reqErr := c.SendRequest(t.Context(), rpc(1, "ping")); reqErr == nil || reqErr.Error() != err.Error() {
		t.Errorf("SendRequest after the exit = %v, want %v", reqErr, err)
	}
	c.Close()
	if !strings.Contains(c.Stderr(), "CANARY") || !strings.Contains(sink.String(), "CANARY") || !sink.closed {
		t.Errorf("Stderr() = %q, sink = %q closed %v; want the text in both", c.Stderr(), sink.String(), sink.closed)
	}
}

func TestDialStdio_ExitFailsRequestInFlight(t *testing.T) {
	t.Parallel()
	c := dialChild(t, "echo", DialEnv{}, quick)
	_, err := c.SendRequest(t.Context(), rpc(1, "die"))
	if err == nil || !strings.Contains(err.Error(), "exited with status 4") {
		t.Errorf("SendRequest = %v, want the exit status", err)
	}
}

func TestDialStdio_DeliversLastAnswerBeforeExit(t *testing.T) {
	t.Parallel()
	patient := quick
	patient.drain = 5 * time.Second // a busy machine reads late
	for range 5 {
		c := dialChild(t, "last", DialEnv{}, patient)
		resp, err := c.SendRequest(t.Context(), rpc(1, "ping"))
		if err != nil || !strings.Contains(string(resp.Result), "last") {
			t.Errorf("SendRequest = %v, %v; want the answer written before the exit", resp, err)
		}
		c.Close()
	}
}

func TestDialStdio_LongLineEndsConnection(t *testing.T) {
	t.Parallel()
	c := dialChild(t, "long-line", DialEnv{}, quick)
	if err := awaitDone(t, c, 20*time.Second); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Err() = %v, want ErrTooLarge", err)
	}
}

func TestDialStdio_StderrSpamIsBounded(t *testing.T) {
	t.Parallel()
	var sink lockedBuffer
	c := dialChild(t, "spam", DialEnv{Stderr: func(string) io.WriteCloser { return &sink }}, quick)
	if _, err := c.SendRequest(t.Context(), rpc(1, "ping")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if n := len(sink.String()); n > 8<<20 {
		t.Errorf("%d bytes of 100 MB reached the log, want at most 8 MB", n)
	}
	if !strings.Contains(sink.String(), "left out") {
		t.Error("the log does not say that lines are missing")
	}
	if n := len(c.Stderr()); n > stderrTail {
		t.Errorf("tail of %d bytes, want at most %d", n, stderrTail)
	}
}

func TestDialStdio_DeafChildDoesNotHoldCallers(t *testing.T) {
	t.Parallel()
	c := dialChild(t, "deaf", DialEnv{}, quick)
	big := rpc(1, "big")
	big.Params = strings.Repeat("x", 1<<20) // more than a pipe takes
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := c.SendRequest(ctx, big); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("SendRequest = %v, want the deadline", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("SendRequest took %v beyond a deadline of 100 ms", took)
	}
	var err error
	for range 20 {
		if err = c.SendNotification(t.Context(), dialNote("x", big.Params.(string))); err != nil {
			break
		}
	}
	if !errors.Is(err, errInputFull) {
		t.Errorf("20 MB of unread input: %v, want errInputFull", err)
	}
}

func TestDialStdio_CloseLeavesNoGoroutine(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	for _, mode := range []string{"echo", "deaf", "exit3", "stubborn", "long-line"} {
		c := dialChild(t, mode, DialEnv{}, quick)
		c.Close()
		c.Close()
		if !errors.Is(c.Err(), errConnClosed) && mode != "exit3" && mode != "long-line" {
			t.Errorf("%s: Err() = %v, want errConnClosed", mode, c.Err())
		}
	}
	goleak.VerifyNone(t, ignore)
}

// lockedBuffer is a sink of stderr.
type lockedBuffer struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	closed bool
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func BenchmarkDialStdio_RoundTrip(b *testing.B) {
	c, err := dialStdio(b.Context(), childSpec("echo"), DialEnv{})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var id int64
	for b.Loop() {
		id++
		if _, err := c.SendRequest(b.Context(), rpc(id, "ping")); err != nil {
			b.Fatal(err)
		}
	}
}
