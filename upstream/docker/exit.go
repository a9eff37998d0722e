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
	seen, err := c.events(ctx)
	switch code := status.ExitCode(); {
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
	case time.Since(seen["kill"]) < recent || code == 137:
		return errors.New("the container was killed from outside")
	default:
		return nil
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
