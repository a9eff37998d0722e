package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/store"
)

// connectPatience is how long Connect waits for another command to release the
// data directory.
const connectPatience = 5 * time.Second

// Connect returns a client of the instance that serves opt's data directory. If
// none does, the client talks to a program built in-process on the directory
// with no upstream started. The function releases it. A running instance is
// asked even while the file on disk is faulty: it has the last good one.
func Connect(ctx context.Context, opt Options) (*client.Client, func() error, error) {
	a := &App{opt: opt}
	_, faulty := a.locate()
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	for {
		c, err := client.Dial(a.dir)
		if err == nil {
			return a.sameFile(ctx, c)
		}
		if !errors.Is(err, client.ErrNotRunning) {
			return nil, nil, err
		}
		if faulty != nil {
			return nil, nil, faulty
		}
		built, err := open(opt, false)
		if err == nil {
			if err = built.reapply(ctx); err == nil {
				return client.InProcess(built.api.Handler(api.Local)), built.Close, nil
			}
			err = errors.Join(err, built.Close())
		}
		if !errors.Is(err, store.ErrLocked) || ctx.Err() != nil {
			return nil, nil, err
		}
	}
}

// sameFile refuses an instance that runs on another configuration file than the
// one that was asked for by name.
func (a *App) sameFile(ctx context.Context, c *client.Client) (*client.Client, func() error, error) {
	if a.opt.ConfigPath != "" {
		st, err := c.Status(ctx)
		if err != nil {
			return nil, nil, err
		}
		if !samePath(st.ConfigPath, a.configPath) {
			return nil, nil, fmt.Errorf("the running instance (pid %d) uses another configuration, %s\nhint: leave --config out to talk to it, or choose another data directory with --data-dir", st.PID, st.ConfigPath)
		}
	}
	return c, func() error { c.Close(); return nil }, nil
}

// samePath compares two paths as the file system does.
func samePath(x, y string) bool {
	one, err := os.Stat(x)
	if err != nil {
		return x == y
	}
	other, err := os.Stat(y)
	return err == nil && os.SameFile(one, other)
}
