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

// explain says why the docker command ended. It asks docker what happened to the
// container: the server's own words are not trusted to say so.
func (c *container) explain(status *os.ProcessState, stderr string) error {
	if status.Success() {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.life, explainTime)
	defer cancel()
	seen, err := c.events(ctx)
	switch {
	case errors.Is(err, errDown):
		return errors.New("docker stopped while the server ran; hint: start it, the server follows by itself")
	case err != nil:
		return nil // the status must do
	case strings.Contains(seen, "oom "):
		return fmt.Errorf("the container ran out of its %s memory limit: raise isolation.memory_limit of the server", c.p.memory)
	case !strings.Contains(seen, "start "):
		return fmt.Errorf("docker could not start the container: %s", lastWords(stderr)) // docker's words, nobody else's
	case status.ExitCode() == 126, status.ExitCode() == 127: // of the container's first process, as of a shell
		return fmt.Errorf("image %s cannot run %q (status %d); hint: choose one that has it with isolation.image",
			c.p.image, c.p.line[0], status.ExitCode())
	case strings.Contains(seen, "kill ") || status.ExitCode() == 137:
		return errors.New("the container was killed from outside")
	default:
		return nil
	}
}

// events returns what happened to the container, one "action code" a line.
func (c *container) events(ctx context.Context) (string, error) {
	return c.d.docker(ctx, "events", "--since", stamp(c.since.Add(-time.Second)), "--until", stamp(time.Now().Add(time.Second)),
		"--filter", "container="+c.name, "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}")
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
