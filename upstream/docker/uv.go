package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// uvTime bounds the installation of uv.
const uvTime = 5 * time.Minute

// needUV makes sure that uvx can run in the container of p. In an image that has
// none, such as a plain python, uv is installed once into the server's volume. id
// is of the image.
func (d *Docker) needUV(ctx context.Context, p *plan, id string) error {
	name := p.line[0]
	if name != "uvx" && name != "uv" {
		return nil
	}
	if d.hasUV(id) {
		return nil
	}
	found, err := d.try(ctx, p, []string{name, "--version"})
	if err != nil || found {
		if found {
			d.mu.Lock()
			d.withUV[id] = true
			d.mu.Unlock()
		}
		return err
	}
	own := home + "/.local/bin/" + name
	if found, err = d.try(ctx, p, []string{own, "--version"}); err != nil {
		return err
	}
	if !found {
		if err := d.installUV(ctx, p); err != nil {
			return err
		}
	}
	p.line[0] = own
	return nil
}

func (d *Docker) hasUV(image string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.withUV[image]
}

func (d *Docker) installUV(ctx context.Context, p *plan) error {
	log := d.log.With(zap.String("server", p.server), zap.String("image", p.image))
	log.Info("docker isolation: " + p.image + " has no uvx: installing uv into the server's volume")
	d.say(p.server, "installs uv")
	began := time.Now()
	_, err := d.once(ctx, p, uvTime, []string{"python3", "-m", "pip", "install", "--user", "--no-input", "--disable-pip-version-check", "uv"})
	if err != nil {
		if p.network == "none" {
			err = fmt.Errorf("%w (the server has no network)", err)
		}
		return fmt.Errorf("%s has no uvx, and pip install uv failed: %w; hint: choose an image that has uv with isolation.image", p.image, err)
	}
	log.Info("docker isolation: installed uv", zap.Duration("dur", time.Since(began).Round(100*time.Millisecond)))
	return nil
}

// try runs a program in the container of p and reports whether the image has it
// and it succeeds.
func (d *Docker) try(ctx context.Context, p *plan, line []string) (bool, error) {
	_, err := d.once(ctx, p, time.Minute, line)
	if failed := new(commandError); errors.As(err, &failed) {
		return false, nil
	}
	return err == nil, err
}

// once runs one program to its end in a container of its own with everything
// that the server's has, and returns its stdout.
func (d *Docker) once(ctx context.Context, p *plan, limit time.Duration, line []string) (string, error) {
	q := *p
	q.line = line
	c, err := d.create(ctx, &q)
	if err != nil {
		return "", err
	}
	defer c.remove()
	return d.invoke(ctx, invocation{args: []string{"start", "--attach", c.name}, limit: limit})
}
