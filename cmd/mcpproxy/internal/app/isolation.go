package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/config"
	"mcpproxy/internal/escape"
	"mcpproxy/upstream"
	"mcpproxy/upstream/docker"
)

// pullPatience is how much longer a person waits for a listing where an image
// may have to be pulled first.
const pullPatience = 25 * time.Minute

// openDocker prepares for isolated servers. A command without an instance tells
// its user what it waits for; an instance has its log and its listings.
func (a *App) openDocker() (*docker.Docker, error) {
	opt := docker.Options{Dir: a.dir, Log: a.log.Named("docker"), Private: []string{a.logDir()}, Check: a.checkImage}
	if !a.serving && a.opt.Stderr != nil {
		opt.Say = func(server, what string) {
			fmt.Fprintf(a.opt.Stderr, "docker isolation: %s %s\n", escape.Line(server), escape.Line(what))
		}
	}
	return docker.Open(opt)
}

// settleIsolation makes Isolation of every server what is in force for it: the
// server's own settings over those of all servers, with its image, or nil if it
// runs on the host.
func settleIsolation(cfg *config.Config) {
	all := cfg.DockerIsolation
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		var own config.Isolation
		if s.Isolation != nil {
			own = *s.Isolation
		}
		wanted := all.Enabled
		if own.Enabled != nil {
			wanted = *own.Enabled
		}
		if s.Transport != config.Stdio || !wanted || docker.Engine(s.Command) {
			s.Isolation = nil
			continue
		}
		s.Isolation = &config.Isolation{
			Enabled: &wanted, Image: cmp.Or(own.Image, docker.Image(s.Command, s.Args, all.DefaultImages)),
			NetworkMode: cmp.Or(own.NetworkMode, all.NetworkMode), WorkingDir: own.WorkingDir,
			MemoryLimit: cmp.Or(own.MemoryLimit, all.MemoryLimit), CPULimit: cmp.Or(own.CPULimit, all.CPULimit),
			Mounts: own.Mounts, ExtraArgs: slices.Concat(all.ExtraArgs, own.ExtraArgs),
		}
	}
}

// isolationOf translates settled settings for the pool.
func isolationOf(s config.Server, timeout time.Duration) *upstream.Isolation {
	in := s.Isolation
	if in == nil {
		return nil
	}
	return &upstream.Isolation{
		Image: in.Image, Network: in.NetworkMode, WorkingDir: in.WorkingDir, Memory: in.MemoryLimit, CPUs: in.CPULimit,
		Mounts: in.Mounts, ExtraArgs: in.ExtraArgs, Timeout: timeout,
	}
}

// wallsOf says what isolation an approval of the server is bound to.
func wallsOf(s config.Server) string {
	if in := isolationOf(s, 0); in != nil {
		return docker.Describe(*in)
	}
	return ""
}

// imageID is the image that the server's name of one stands for, as far as known.
func (a *App) imageID(s config.Server) string {
	if s.Isolation == nil {
		return ""
	}
	return a.docker.Known(s.Isolation.Image)
}

// checkImage asks the gate once more when the image that a server is about to run
// by is known: a name may stand for another one than it did at approval, and for
// yet another one a moment later.
func (a *App) checkImage(server, imageID string) error {
	s, err := a.configured(server)
	if err != nil {
		return err
	}
	launch := a.launchOf(s)
	launch.ImageID = imageID
	err = a.gate.Launch(server, launch, trustsFirst(s))
	if err != nil {
		select {
		case a.imageMoved <- struct{}{}:
		default:
		}
	}
	return err
}

// followImages holds servers whose image is another one now.
func (a *App) followImages(ctx context.Context) error {
	for {
		select {
		case <-a.imageMoved:
		case <-ctx.Done():
			return nil
		}
		if err := a.reapply(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("another image not held", zap.Error(err))
		}
	}
}

// isolationWords says in a few words where the server runs, and what its start
// waits for. It is empty for a server that nobody asked to isolate.
func (a *App) isolationWords(s config.Server) string {
	switch in := s.Isolation; {
	case in == nil && s.Transport == config.Stdio && docker.Engine(s.Command) && a.inForce.Load().DockerIsolation.Enabled:
		return "none: the command drives containers itself"
	case in == nil:
		return ""
	case in.Image == "":
		return "docker, but no image is known for the command"
	default:
		words := "docker " + in.Image
		if doing := a.docker.Doing(s.Name); doing != "" {
			words += ", " + doing
		}
		return words
	}
}
