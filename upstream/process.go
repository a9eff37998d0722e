package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopLadder says how long each step of ending a child may take.
type stopLadder struct {
	drain time.Duration // for what is still in the pipes after the child's exit
	eof   time.Duration // after its stdin was closed, until SIGTERM
	term  time.Duration // after SIGTERM, until SIGKILL
	kill  time.Duration // after SIGKILL, until we stop waiting
}

var defaultLadder = stopLadder{drain: 250 * time.Millisecond, eof: 2 * time.Second, term: 3 * time.Second, kill: 2 * time.Second}

// groupPoll is how often a process group is asked whether it still lives.
const groupPoll = 10 * time.Millisecond

// process is a child in a process group of its own. One goroutine, supervise,
// owns its end. There is no PDEATHSIG: it fires when the thread that forked
// ends, which is not when the proxy ends, reaches the child alone, and cuts
// short the time that a child needs after the end of its stdin to save its work.
type process struct {
	cmd    *exec.Cmd
	run    *Isolated // what cmd is of
	group  processGroup
	ladder stopLadder
	pipes  pipes
	stdin  *inputQueue
	stdout *lineReader
	stderr *stderrLog

	life   context.Context // ends with the connection; its cause says why
	end    context.CancelCauseFunc
	exited chan struct{} // closed once the child is reaped
	status *os.ProcessState
	logged chan struct{} // closed once stderr was read to its end
	gone   chan struct{} // closed once the group is ended
	forget func()        // drops the record of the child
}

// pipes are our ends of a child's stdin, stdout and stderr.
type pipes struct {
	in, out, err *os.File
	theirs       [3]*os.File
}

// openPipes returns three pipes. They are files, not cmd.StdoutPipe, so that
// waiting for the child does not wait for whoever inherited its stdout.
func openPipes() (p pipes, err error) {
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.theirs[0], p.in, err = os.Pipe(); err != nil {
		return p, err
	}
	if p.out, p.theirs[1], err = os.Pipe(); err != nil {
		return p, err
	}
	p.err, p.theirs[2], err = os.Pipe()
	return p, err
}

func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		if f != nil {
			_ = f.Close()
		}
	}
}

func (p *pipes) close() {
	p.closeTheirs()
	for _, f := range []*os.File{p.in, p.out, p.err} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// startProcess starts run. The child's life does not end with ctx. The error
// wraps ErrConfig where no retry can help; nothing of run is left then. Its
// stderr goes through redact to sink. What it started is freed by supervise.
func startProcess(ctx context.Context, run *Isolated, ladder stopLadder, sink io.WriteCloser, redact func(io.Reader) io.Reader) (*process, error) {
	cmd := run.Cmd
	pp, err := openPipes()
	if err != nil {
		run.remove()
		return nil, fmt.Errorf("open pipes: %w", err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = pp.theirs[0], pp.theirs[1], pp.theirs[2]
	prepareGroup(cmd)
	if err := cmd.Start(); err != nil {
		pp.close()
		run.remove()
		return nil, startError(cmd, err)
	}
	pp.closeTheirs()
	cmd.Env, cmd.Args = nil, cmd.Args[:min(1, len(cmd.Args))] // the child has what they hold; nobody else needs its secrets
	p := &process{
		cmd: cmd, run: run, ladder: ladder, pipes: pp,
		stdin: newInputQueue(pp.in, maxMessage), stdout: newLineReader(pp.out, maxMessage), stderr: newStderrLog(sink),
		exited: make(chan struct{}), logged: make(chan struct{}), gone: make(chan struct{}),
		forget: func() {},
	}
	p.group = adoptGroup(cmd)
	p.life, p.end = context.WithCancelCause(context.WithoutCancel(ctx))
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // the status says all
		p.status = cmd.ProcessState
	}()
	go func() {
		defer close(p.logged)
		p.stderr.copyFrom(redact(pp.err))
	}()
	return p, nil
}

// supervise waits for the end of the connection, whoever causes it, and then
// ends the whole group.
func (p *process) supervise() {
	defer close(p.gone)
	select {
	case <-p.exited: // the last answer may still be in the pipe
		waitFor(p.stdout.ended, p.ladder.drain)
	case <-p.stdout.ended: // mostly a moment before the exit
		waitFor(p.exited, p.ladder.drain)
	case <-p.life.Done():
	}
	p.end(p.cause())
	p.endGroup()
}

// cause says in plain words why the connection ended by itself.
func (p *process) cause() error {
	select {
	case <-p.stdout.ended:
		if p.stdout.cause != nil {
			return p.stdout.cause
		}
	default:
	}
	select {
	case <-p.exited:
		if p.run.explained() {
			waitFor(p.logged, p.ladder.drain)
			if why := p.run.Explain(p.status, p.stderr.last()); why != nil {
				return why
			}
		}
		return fmt.Errorf("the server %s", describeExit(p.status))
	default:
		return errors.New("the server closed its stdout but did not exit")
	}
}

func describeExit(s *os.ProcessState) string {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", int(ws.Signal()), ws.Signal())
	}
	return fmt.Sprintf("exited with status %d", s.ExitCode())
}

// endGroup climbs the ladder until no process of the group is left, and frees
// what the child held.
func (p *process) endGroup() {
	_ = p.stdin.Close()
	drained := make(chan struct{})
	go func() { // a full stdout must not keep the child from exiting
		defer close(drained)
		_, _ = io.Copy(io.Discard, p.pipes.out)
	}()
	ended := p.awaitGroup(p.ladder.eof)
	if !ended && p.group.terminate() {
		ended = p.awaitGroup(p.ladder.term)
	}
	if !ended {
		p.group.kill()
		ended = p.awaitGroup(p.ladder.kill)
	}
	p.run.remove()
	p.stdin.abort()
	_ = p.pipes.out.Close()
	<-drained
	waitFor(p.logged, p.ladder.drain)
	_ = p.pipes.err.Close()
	<-p.logged
	p.group.release()
	if ended {
		p.forget()
	}
}

// awaitGroup reports whether the group is gone within d.
func (p *process) awaitGroup(d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	exited := p.exited
	for {
		select {
		case <-exited:
			exited = nil
		case <-tick.C:
		case <-late.C:
			return false
		}
		if exited == nil && !p.group.alive() {
			return true
		}
	}
}

// waitFor waits for c, at most d.
func waitFor(c <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
	case <-t.C:
	}
}

// startError explains why cmd did not start.
func startError(cmd *exec.Cmd, err error) error {
	name := cmd.Path
	if len(cmd.Args) > 0 {
		name = cmd.Args[0]
	}
	if permanentStart(err) {
		return commandError(name, false, err)
	}
	return fmt.Errorf("start %q: %w", name, plainCause(err))
}

// permanentStart reports whether starting the same file again must fail again.
func permanentStart(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC)
}

// commandError returns an error wrapping ErrConfig that says what is wrong with
// the command name and what to do.
func commandError(name string, onPath bool, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: command %q is not executable: check its permissions", ErrConfig, name)
	case onPath || errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: command %q not found on PATH: install it or give its full path", ErrConfig, name)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: command %q, or the interpreter it names, does not exist: correct the path", ErrConfig, name)
	default:
		return fmt.Errorf("%w: command %q cannot be run: %w", ErrConfig, name, plainCause(err))
	}
}

// plainCause strips the operation and path that err repeats.
func plainCause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}
