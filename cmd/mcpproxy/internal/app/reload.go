package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"sync"

	"go.uber.org/zap"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/upstream"
)

// reload reads the file and puts it in force. A file with faults changes
// nothing: the last good configuration stays and the fault is reported.
func (a *App) reload(ctx context.Context) error {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	defer a.events.Publish(client.EventConfig, "")
	cfg, warnings, err := load(a.configPath)
	if err == nil && len(cfg.Servers) == 0 && len(a.inForce.Load().Servers) > 0 {
		if _, gone := os.Stat(a.configPath); gone != nil {
			err = fmt.Errorf("configuration: %w", gone) // a moment of a save, or a mistake: not a wish to stop everything
		}
	}
	if err != nil {
		a.audit.Record(audit.Entry{What: audit.Config, Actor: audit.File, Outcome: audit.Refused})
		text := err.Error()
		a.fault.Store(&text)
		a.log.Error("configuration not changed: the file has faults", zap.String("file", a.configPath), zap.Error(err))
		return err
	}
	if a.fault.Swap(nil) != nil {
		a.log.Info("configuration file is good again", zap.String("file", a.configPath))
	}
	a.warn(warnings)
	policy := a.policy()
	if old := a.inForce.Swap(cfg); !reflect.DeepEqual(old, cfg) {
		a.audit.Record(audit.Entry{What: audit.Config, Actor: audit.File, Outcome: audit.OK, Detail: differences(old, cfg)})
		a.log.Info("configuration in force", zap.String("file", a.configPath), zap.Int("servers", len(cfg.Servers)))
		if keys := startKeys(old, cfg); len(keys) > 0 && a.serving {
			a.log.Warn("what changed is in force from the next start on", zap.Strings("keys", keys))
		}
	}
	a.logs.SetLevel(a.logLevel(cfg))
	if a.policy() != policy {
		a.proxy.ToolsChanged()
	}
	return a.apply(ctx, cfg)
}

// startKeys names the keys that differ and are read at the start alone.
func startKeys(old, now *config.Config) (keys []string) {
	for _, k := range []struct {
		name     string
		was, now any
	}{
		{"listen", old.Listen, now.Listen}, {"data_dir", old.DataDir, now.DataDir}, {"trusted_hosts", old.TrustedHosts, now.TrustedHosts},
		{"audit_max_mb", old.AuditMaxMB, now.AuditMaxMB}, {"audit_max_days", old.AuditMaxDays, now.AuditMaxDays},
		{"secrets_backend", old.SecretsBackend, now.SecretsBackend}, {"enable_tray", old.EnableTray, now.EnableTray},
	} {
		if !reflect.DeepEqual(k.was, k.now) {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// load reads the file at path; a missing one is an empty configuration. What it
// says of isolation is settled for each server.
func load(path string) (*config.Config, []config.Warning, error) {
	cfg, warnings, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		cfg, warnings, err = config.Parse(nil)
	}
	if err == nil {
		settleIsolation(cfg)
	}
	return cfg, warnings, err
}

// reapply puts the configuration in force once more, after an approval.
func (a *App) reapply(ctx context.Context) error {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	return a.apply(ctx, a.inForce.Load())
}

// apply makes pool and index follow cfg.
func (a *App) apply(ctx context.Context, cfg *config.Config) error {
	a.sentence.want(cfg.Model)
	a.gate.SetPolicies(policiesOf(cfg))
	a.logins.Apply(loginsOf(cfg))
	held := a.launches(cfg)
	specs := make([]upstream.Spec, 0, len(cfg.Servers))
	var serving []string
	for i, s := range cfg.Servers {
		if held[i] == "" && s.Enabled {
			serving = append(serving, s.Name)
		}
		specs = append(specs, a.specOf(s, held[i]))
	}
	if err := a.sync.Prune(ctx, serving); err != nil {
		return err
	}
	if !a.serving {
		return nil
	}
	defer a.applied.Store(true)
	return a.pool.Apply(ctx, specs)
}

// launches asks the gate about every server of cfg and returns why each must
// not run, or "". Those that are switched off are asked about too: what the file
// trusts at first sight is pinned before anyone can change it. The questions go
// side by side because first ones are written to disk and share its fsync.
func (a *App) launches(cfg *config.Config) []string {
	held := make([]string, len(cfg.Servers))
	var wg sync.WaitGroup
	for i, s := range cfg.Servers {
		wg.Go(func() {
			if err := a.gate.Launch(s.Name, a.launchOf(s), trustsFirst(s)); err != nil {
				held[i] = err.Error()
			}
		})
	}
	wg.Wait()
	return held
}

func (a *App) warn(warnings []config.Warning) {
	for _, w := range warnings {
		a.log.Warn("configuration: "+w.Message, zap.String("path", w.Path))
	}
}

// watch follows the file and the gate until ctx ends.
func (a *App) watch(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		done <- config.Watch(ctx, a.configPath, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	for {
		select {
		case <-changed:
			_ = a.reload(ctx) // it reports its own errors
		case err := <-done:
			if ctx.Err() != nil {
				return nil
			}
			a.log.Warn("configuration file is not watched: restart after an edit", zap.Error(err))
			<-ctx.Done()
			return nil
		}
	}
}

// followApprovals starts what a person approved, without a restart.
func (a *App) followApprovals(ctx context.Context) error {
	approvals := a.gate.Changes().Subscribe()
	defer approvals.Close()
	for {
		if _, err := approvals.Next(ctx); err != nil {
			return nil // ctx ended
		}
		if err := a.reapply(ctx); err != nil {
			a.log.Error("approval not applied", zap.Error(err))
		}
	}
}
