package app

import (
	"context"
	"errors"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"mcpproxy/cmd/mcpproxy/internal/doctor"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/secret"
	"mcpproxy/upstream"
)

// Examine looks at everything that an installation stands on. It needs no
// instance and changes nothing.
func Examine(ctx context.Context, opt Options) []doctor.Finding {
	a := &App{opt: opt}
	_, _ = a.locate()
	cfg, warnings, err := config.Load(a.configPath)
	d := doctor.Options{
		Version: opt.Version, DataDir: a.dir, ConfigPath: a.configPath, ConfigError: err, Loopback: true,
		Instance: func() (*client.Client, error) { return client.Dial(a.dir) },
		Docker:   dockerVersion,
		Strays: func() ([]string, error) {
			if c, err := client.Dial(a.dir); err == nil { // its children are no strays
				c.Close()
				return nil, nil
			}
			return upstream.Strays(filepath.Join(a.dir, "children"))
		},
	}
	for _, w := range warnings {
		d.ConfigWarnings = append(d.ConfigWarnings, w.String())
	}
	if cfg == nil {
		cfg, _, _ = config.Parse(nil) // the defaults
	}
	settleIsolation(cfg)
	a.inForce.Store(cfg)
	d.Addrs, d.Loopback = config.ListenAddrs(a.listenAddr()), config.IsLoopback(a.listenAddr())
	if store, err := a.openSecrets(cfg); err == nil { // a backend that is none is a fault of the file
		d.Secrets = store.List
		d.Expand = func(text string) (string, error) { return secret.Expand(text, store) }
	}
	d.Model = func() error {
		if cfg.Model == noModel {
			return nil
		}
		m, err := modelOf(modelRoot(a.dir), cfg.Model)
		if err != nil {
			return err
		}
		return m.Verify()
	}
	for _, s := range cfg.Servers {
		if s.Enabled {
			d.Servers = append(d.Servers, examined(s))
		}
	}
	return doctor.Examine(ctx, d)
}

func examined(s config.Server) doctor.Server {
	return doctor.Server{
		Name: s.Name, Command: s.Command, WorkingDir: s.WorkingDir, URL: s.URL, Isolated: s.Isolation != nil,
		Texts: slices.Concat(s.Args, slices.Collect(maps.Values(s.Env)), slices.Collect(maps.Values(s.Headers))),
	}
}

// dockerVersion asks the daemon, not the command.
func dockerVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Output()
	var failed *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("docker is not installed")
	case errors.As(err, &failed):
		return "", errors.New("the Docker daemon does not answer")
	}
	return strings.TrimSpace(string(out)), err
}
