package app

import (
	"context"
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/index"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/logging"
	"mcpproxy/internal/store"
)

// openLogs writes main.log only while serving: a command's own log would be
// noise in it.
func (a *App) openLogs(cfg *config.Config) (*logging.Logs, error) {
	return logging.New(logging.Options{Level: a.logLevel(cfg), Dir: a.logDir(), Stderr: a.opt.Stderr, File: a.serving, Redact: &a.redact})
}

// logLevel is the flag's, else the file's while serving.
func (a *App) logLevel(cfg *config.Config) string {
	switch {
	case a.opt.LogLevel != "":
		return a.opt.LogLevel
	case !a.serving:
		return "error"
	}
	return cfg.LogLevel
}

// logDir is the operating system's folder, or one inside a data directory of
// its own, so that two instances never write the same file.
func (a *App) logDir() string {
	if a.dir == config.DefaultDataDir() {
		return config.LogDir()
	}
	return filepath.Join(a.dir, "logs")
}

// openIndex opens the index on its buckets of the database. Its sentence model
// follows; see [sentence].
func (a *App) openIndex() (*index.Index, error) {
	catalog, err := store.OpenBucket[index.Entry](a.db, "catalog")
	if err != nil {
		return nil, err
	}
	vectors, err := store.OpenBucket[index.Embedding](a.db, "vectors")
	if err != nil {
		return nil, err
	}
	return index.Open(catalog, index.Options{
		Vectors: vectors, Log: a.log.Named("index"),
		Changed: func() { a.events.Publish(client.EventIndex, "") },
	})
}

// openAPI reads or makes the API key. Beyond loopback the key guards /mcp too.
func (a *App) openAPI(cfg *config.Config) (*api.API, error) {
	key, err := api.Key(a.dir)
	if err != nil {
		return nil, err
	}
	beyond := !config.IsLoopback(a.listenAddr()) // as it is bound, whatever the file says later
	return api.New(api.Options{
		Service: a, MCP: a.proxy.Handler(), Metrics: a.metrics.Handler(), Key: key,
		RequireKey:   func() bool { return beyond || a.inForce.Load().RequireMCPAuth },
		TrustedHosts: cfg.TrustedHosts, Events: a.events, Endpoint: a.endpointNow, Log: a.log.Named("http"),
	}), nil
}

// sweep ends the stdio children and containers that a killed instance left
// behind, the docker commands before what they started.
func (a *App) sweep(ctx context.Context) error {
	ended, err := a.children.Sweep(ctx)
	if ended > 0 {
		a.log.Info("ended servers that an earlier instance left running", zap.Int("processes", ended))
	}
	if err != nil {
		a.log.Warn("servers of an earlier instance may still run", zap.Error(err))
	}
	if err := a.docker.Sweep(ctx); err != nil {
		a.log.Warn("docker isolation: containers of an earlier run may still be there", zap.Error(err))
	}
	return nil
}

// check reports a flag's value that the file would not be allowed either.
func (o Options) check() error {
	if o.Listen != "" {
		if err := config.CheckListen(o.Listen); err != nil {
			return fmt.Errorf("--%w", err)
		}
	}
	return nil
}
