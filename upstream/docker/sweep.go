package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
)

// sweepLooks is when Sweep looks again after the first time: a docker command
// that a killed proxy left behind may still be creating a container.
var sweepLooks = []time.Duration{2 * time.Second, 4 * time.Second}

// Sweep implements [upstream.Isolator]. It removes every container of an earlier
// run of this instance, and nothing else. Where docker cannot be reached, the
// next start of a container sweeps first.
func (d *Docker) Sweep(ctx context.Context) error {
	if err := d.sweepFirst(ctx); err != nil {
		if away(err) {
			return nil // there may be no isolated server at all
		}
		return err
	}
	for _, wait := range sweepLooks {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		if err := d.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sweepFirst sweeps unless that was done before.
func (d *Docker) sweepFirst(ctx context.Context) error {
	d.sweeping.Lock()
	defer d.sweeping.Unlock()
	if d.swept {
		return nil
	}
	err := d.sweep(ctx)
	d.swept = err == nil
	return err
}

func (d *Docker) sweep(ctx context.Context) error {
	out, err := d.docker(ctx, "ps", "--all", "--no-trunc", "--filter", "label="+labelInstance+"="+d.instance,
		"--format", `{{.ID}} {{.Label "`+labelRun+`"}}`)
	if away(err) {
		return err
	}
	if err != nil {
		return fmt.Errorf("look for containers of an earlier run: %w", err)
	}
	var strays []string
	for line := range strings.Lines(out) {
		if id, run, _ := strings.Cut(strings.TrimSpace(line), " "); run != d.run && id != "" {
			strays = append(strays, id)
		}
	}
	if len(strays) == 0 {
		return nil
	}
	if err := d.removeAll(ctx, strays...); err != nil {
		return fmt.Errorf("remove containers of an earlier run: %w", err)
	}
	d.log.Info("docker isolation: removed what an earlier run left", zap.Int("containers", len(strays)))
	return nil
}

// removeAll ends and removes containers. Those that are gone, or on their way,
// are no error.
func (d *Docker) removeAll(ctx context.Context, containers ...string) error {
	_, err := d.invoke(ctx, invocation{args: append([]string{"rm", "--force"}, containers...), limit: removeTime})
	if failed := new(commandError); errors.As(err, &failed) &&
		(strings.Contains(failed.words, "No such container") || strings.Contains(failed.words, "already in progress")) {
		return nil
	}
	return err
}

// forgetTime is how long Forget waits for a container that is about to end.
const forgetTime = 8 * time.Second

// Forget removes what is kept of a server that was taken out of the
// configuration: its volume with its home and caches. Where docker cannot be
// reached the volume stays.
func (d *Docker) Forget(ctx context.Context, server string) error {
	late := time.NewTimer(forgetTime)
	defer late.Stop()
	tick := time.NewTicker(forgetTime / 20)
	defer tick.Stop()
	for {
		_, err := d.docker(ctx, "volume", "rm", "--force", d.volumeName(server))
		if away(err) {
			return nil
		}
		if failed := new(commandError); !errors.As(err, &failed) || !strings.Contains(failed.words, "in use") {
			return err
		}
		select {
		case <-tick.C:
		case <-late.C:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
