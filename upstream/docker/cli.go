package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Errors of the docker command that come and go with its daemon.
var (
	errAbsent = errors.New("docker is not installed; hint: install Docker, or run the server without walls: \"isolation\": {\"enabled\": false}")
	errDown   = errors.New("docker is not running or cannot be reached; hint: start it, the server follows by itself")
)

// away reports whether err says that there is no docker now.
func away(err error) bool { return errors.Is(err, errAbsent) || errors.Is(err, errDown) }

// commandTime bounds a docker command that moves no image.
const commandTime = 30 * time.Second

// invocation is one docker command.
type invocation struct {
	args  []string
	env   []string // beside our own
	files []*os.File
	stdin io.Reader
	watch io.Writer     // sees stdout and stderr as they come; nil: nobody
	limit time.Duration // 0: commandTime
}

// docker runs one docker command and returns its stdout without the last line
// feed. The error says in docker's own words what failed; it wraps errAbsent or
// errDown.
func (d *Docker) docker(ctx context.Context, args ...string) (string, error) {
	return d.invoke(ctx, invocation{args: args})
}

func (d *Docker) invoke(ctx context.Context, in invocation) (string, error) {
	file, err := d.find()
	if err != nil {
		return "", err
	}
	if in.limit == 0 {
		in.limit = commandTime
	}
	ctx, cancel := context.WithTimeoutCause(ctx, in.limit, fmt.Errorf("docker %s did not end within %s", in.args[0], in.limit))
	defer cancel()
	var stdout, stderr tail
	cmd := exec.CommandContext(ctx, file, in.args...)
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), in.env...), in.files
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.stdin, &stdout, &stderr
	if in.watch != nil {
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, in.watch), io.MultiWriter(&stderr, in.watch)
	}
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", explainFailure(stderr.String(), err)
	}
	if stdout.lost {
		return "", fmt.Errorf("docker %s printed more than %d KiB", in.args[0], maxOutput>>10)
	}
	return strings.TrimSpace(stdout.String()), nil
}

// find returns the docker command.
func (d *Docker) find() (string, error) {
	file, err := exec.LookPath(d.opt.Command)
	if err != nil {
		return "", errAbsent
	}
	return file, nil
}

// commandError is a docker command that failed.
type commandError struct {
	status int
	words  string // of docker, on one line
}

func (e *commandError) Error() string { return e.words }

func explainFailure(stderr string, err error) error {
	if unreachable(stderr) {
		return errDown
	}
	e := &commandError{status: -1, words: lastWords(stderr)}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		e.status = exit.ExitCode()
	}
	if e.words == "" {
		e.words = err.Error()
	}
	return e
}

func unreachable(stderr string) bool {
	for _, sign := range []string{
		"Cannot connect to the Docker daemon", "Is the docker daemon running", "error during connect",
		"permission denied while trying to connect", "docker daemon is not running", "failed to connect to the docker API",
	} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

// lastWords is the last line of what docker said, without its advice.
func lastWords(stderr string) string {
	var last string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "See '") || strings.HasPrefix(line, "Run 'docker") || strings.HasPrefix(line, "time=") {
			continue
		}
		last = line
	}
	for _, prefix := range []string{"docker: ", "Error: ", "Error response from daemon: "} {
		last = strings.TrimPrefix(last, prefix)
	}
	return last
}
