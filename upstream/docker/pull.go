package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// needImage pulls the image of p if it is not here, once for all servers that
// wait for it, and says so. It returns the id of the image, which p runs by: the
// name may stand for another one a moment later.
func (d *Docker) needImage(ctx context.Context, p *plan) (id string, err error) {
	for {
		id, err := d.imageID(ctx, p.image)
		if err == nil {
			p.id = id
			return id, d.known.note(p.image, id)
		}
		if failed := new(commandError); !errors.As(err, &failed) {
			return "", err // docker itself
		}
		wait, mine := d.pullTurn(p.image)
		if mine {
			err = d.pull(ctx, p)
			d.endPull(p.image)
			if err != nil {
				return "", err
			}
			continue
		}
		d.say(p.server, "waits for the pull of "+p.image)
		select {
		case <-wait:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// imageID returns the id of an image that is here.
func (d *Docker) imageID(ctx context.Context, image string) (string, error) {
	return d.docker(ctx, "image", "inspect", "--format", "{{.Id}}", image)
}

// pullTurn returns what to wait for while somebody pulls the image, or true.
func (d *Docker) pullTurn(image string) (wait <-chan struct{}, mine bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ch, busy := d.pulls[image]; busy {
		return ch, false
	}
	d.pulls[image] = make(chan struct{})
	return nil, true
}

func (d *Docker) endPull(image string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.pulls[image])
	delete(d.pulls, image)
}

func (d *Docker) pull(ctx context.Context, p *plan) error {
	log := d.log.With(zap.String("server", p.server), zap.String("image", p.image))
	log.Info("docker isolation: pulling " + p.image + ", which is not on this machine")
	d.say(p.server, "pulls "+p.image)
	began := time.Now()
	progress := &pullProgress{report: func(done, total int) {
		text := fmt.Sprintf("pulls %s: %d of %d layers", p.image, done, total)
		d.say(p.server, text)
		log.Info("docker isolation: "+text, zap.Duration("dur", time.Since(began).Round(time.Second)))
	}}
	if _, err := d.invoke(ctx, invocation{args: []string{"pull", p.image}, watch: progress, limit: d.opt.Pull}); err != nil {
		return fmt.Errorf("pull %s: %w; hint: check the name under isolation.image, or try: docker pull %s", p.image, err, p.image)
	}
	log.Info("docker isolation: pulled "+p.image, zap.Duration("dur", time.Since(began).Round(time.Second)))
	return nil
}

// maxProgress is what is kept of one line of docker pull.
const maxProgress = 4 << 10

// pullProgress counts layers in what docker pull prints.
type pullProgress struct {
	report func(done, total int)

	mu          sync.Mutex // stdout and stderr write at once
	rest        string
	done, total int
}

func (p *pullProgress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest += string(text)
	for {
		line, rest, whole := strings.Cut(p.rest, "\n")
		if !whole {
			p.rest = p.rest[:min(len(p.rest), maxProgress)]
			return len(text), nil
		}
		p.rest = rest
		switch _, what, _ := strings.Cut(line, ": "); strings.TrimSpace(what) {
		case "Pulling fs layer":
			p.total++
		case "Already exists":
			p.total++
			p.done++
		case "Pull complete":
			p.done++
			p.report(p.done, p.total)
		}
	}
}
