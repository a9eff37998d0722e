package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// explainTime bounds the question why a container ended.
const explainTime = 5 * time.Second

// recent is how long before its end what happened to a container may be why.
const recent = 10 * time.Second

// explain says why the docker command ended. It asks docker what happened to the
// container: the server's own words are not trusted to say so.
func (c *container) explain(status *os.ProcessState, stderr string) error {
	if status.Success() {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.life, explainTime)
	defer cancel()
	code := status.ExitCode()
	seen, err := c.end(ctx, code)
	switch {
	case errors.Is(err, errDown):
		return errors.New("docker stopped while the server ran; hint: start it, the server follows by itself")
	case err != nil:
		return nil // the status must do
	case time.Since(seen["oom"]) < recent:
		return fmt.Errorf("the container ran out of its %s memory limit: raise isolation.memory_limit of the server", c.p.memory)
	case seen["start"].IsZero() && seen["die"].IsZero() && time.Since(c.since) < time.Minute: // docker forgets what is older
		return fmt.Errorf("docker could not start the container: %s", lastWords(stderr)) // docker's words, nobody else's
	case code == 126 || code == 127: // of the container's first process, as of a shell
		return fmt.Errorf("image %s cannot run %q (status %d); hint: choose one that has it with isolation.image", c.p.image, c.p.line[0], code)
	case time.Since(seen["kill"]) < recent:
		return errors.New("the container was killed from outside")
	case code == killed: // the kernel's word may be lost with the container's control group
		return fmt.Errorf("the container was killed, most likely since it ran out of its %s memory limit: raise isolation.memory_limit of the server", c.p.memory)
	default:
		return nil
	}
}

// killed is the status of a process that SIGKILL ended.
const killed = 137

// oomTime is how long after the end docker may still tell of the lack of memory.
const oomTime = 2 * time.Second

// end is events, asked until they say who killed a killed container.
func (c *container) end(ctx context.Context, code int) (map[string]time.Time, error) {
	deadline := time.Now().Add(oomTime)
	for {
		seen, err := c.events(ctx)
		if err != nil || code != killed || !seen["oom"].IsZero() || !seen["kill"].IsZero() || time.Now().After(deadline) {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// events returns when things happened to the container last, by docker's name.
func (c *container) events(ctx context.Context) (map[string]time.Time, error) {
	now := time.Now()
	out, err := c.d.docker(ctx, "events", "--since", stamp(c.since.Add(-time.Second)), "--until", stamp(now),
		"--filter", "container="+c.name, "--format", "{{.Action}} {{.TimeNano}}")
	if err != nil {
		return nil, err
	}
	seen := map[string]time.Time{}
	for line := range strings.Lines(out) {
		action, at, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			seen[action] = time.Unix(0, n)
		}
	}
	return seen, nil
}

func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
