package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"go.uber.org/zap"

	"mcpproxy/upstream"
)

// Options of [Open].
type Options struct {
	Dir     string        // data directory of the instance
	Log     *zap.Logger   // nil means none
	Command string        // the docker command; "" means docker on PATH
	Pull    time.Duration // one image at most; 0 means 20 min
	Private []string      // paths of the host that no server may mount, beside Dir
	// Check is asked before a server starts by the image of that id, and says why
	// it must not; nil asks nobody.
	Check func(server, imageID string) error
	// Say, if set, hears what the start of a server is waiting for, for people.
	Say func(server, what string)
}

// Docker runs servers in containers. It implements [upstream.Isolator]. Safe for
// concurrent use.
type Docker struct {
	opt      Options
	log      *zap.Logger
	instance string
	run      string // this life of the instance

	sweeping sync.Mutex // held by Sweep
	swept    bool       // once it succeeded

	sinking sync.Mutex // one at a time makes the sink
	known   known

	mu     sync.Mutex
	doing  map[string]string        // by server
	pulls  map[string]chan struct{} // by image, closed when the pull has ended
	withUV map[string]bool          // by image id: it has uv of its own
}

// Open returns the Docker of the instance that owns opt.Dir. It does not look
// for docker yet.
func Open(opt Options) (*Docker, error) {
	if opt.Log == nil {
		opt.Log = zap.NewNop()
	}
	if opt.Command == "" {
		opt.Command = "docker"
	}
	if opt.Pull <= 0 {
		opt.Pull = 20 * time.Minute
	}
	instance, err := instanceID(opt.Dir)
	if err != nil {
		return nil, err
	}
	opt.Private = bothForms(append([]string{opt.Dir}, opt.Private...))
	return &Docker{
		opt: opt, log: opt.Log, instance: instance, run: digest(rand.Text()), known: newKnown(opt.Dir),
		doing: map[string]string{}, pulls: map[string]chan struct{}{}, withUV: map[string]bool{},
	}, nil
}

// Instance is the value of the label mcpproxy.instance of all that d makes.
func (d *Docker) Instance() string { return d.instance }

// Command implements [upstream.Isolator]. It pulls the image if it is not here
// and creates the container. Its error wraps [upstream.ErrConfig] if the
// settings are at fault.
func (d *Docker) Command(ctx context.Context, s upstream.Spec) (*upstream.Isolated, error) {
	if s.Isolation == nil {
		return nil, nil //nolint:nilnil // the contract of Isolator
	}
	c, err := d.prepare(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("docker isolation: %w", err)
	}
	return &upstream.Isolated{Cmd: c.command(), Explain: c.explain, Remove: c.remove}, nil
}

// prepare makes everything up to the created container of s.
func (d *Docker) prepare(ctx context.Context, s upstream.Spec) (*container, error) {
	p, err := d.plan(s)
	if err != nil {
		return nil, err
	}
	defer d.say(s.Name, "")
	if err := d.sweepFirst(ctx); err != nil {
		return nil, err
	}
	id, err := d.needImage(ctx, p)
	if err != nil {
		return nil, err
	}
	if !s.Isolation.Review && d.opt.Check != nil {
		if err := d.opt.Check(s.Name, id); err != nil {
			return nil, err
		}
	}
	if err := d.needUV(ctx, p, id); err != nil {
		return nil, err
	}
	c, err := d.create(ctx, p)
	if err != nil {
		return nil, err
	}
	if s.WorkingDir != "" && p.mounted(s.WorkingDir) == "" {
		d.log.Warn("docker isolation: working_dir is not in the container; name it in isolation.mounts if the server needs it", zap.String("server", s.Name))
	}
	d.log.Debug("docker isolation: container created", zap.String("server", s.Name), zap.String("image", p.image), zap.String("container", c.name))
	return c, nil
}

// Doing says what the start of a server is waiting for, for people, or "".
func (d *Docker) Doing(server string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.doing[server]
}

func (d *Docker) say(server, what string) {
	if d.opt.Say != nil && what != "" {
		d.opt.Say(server, what)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if what == "" {
		delete(d.doing, server)
	} else {
		d.doing[server] = what
	}
}

// container is one created container.
type container struct {
	d      *Docker
	p      *plan
	name   string
	docker string          // file of the docker command
	life   context.Context // never ends: what removes the container must run
	since  time.Time
}

// command attaches to the container and starts it. It holds no value of the
// environment.
func (c *container) command() *exec.Cmd {
	cmd := exec.Command(c.docker, "start", "--attach", "--interactive", c.name)
	cmd.Env = os.Environ()
	return cmd
}

// removeTime bounds the removal of a container.
const removeTime = 8 * time.Second

// remove ends the container and removes it. One that is gone is no error; one
// that cannot be reached now is left to the sweep.
func (c *container) remove() {
	if err := c.d.removeAll(c.life, c.name); err != nil {
		c.d.log.Warn("docker isolation: container not removed; the next start removes it",
			zap.String("server", c.p.server), zap.String("container", c.name), zap.Error(err))
	}
}
