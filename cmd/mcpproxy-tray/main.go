package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"mcpproxy/internal/client"
)

// version is set by the linker.
var version = "dev"

type flags struct {
	dataDir, configPath string
	follow              bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "mcpproxy-tray",
		Short: "Show mcpproxy in the desktop's tray",
		Long: `Show the proxy in the tray: which servers run, what waits for you, and a way to the
web page. "mcpproxy serve" starts it by itself where there is a desktop.`,
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true, Version: version,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context()) },
	}
	cmd.Flags().StringVarP(&f.dataDir, "data-dir", "d", "", "data `directory` (default ~/.mcpproxy)")
	cmd.Flags().StringVarP(&f.configPath, "config", "c", "", "configuration `file` to start the proxy with")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "end when the proxy has ended and does not come back")
	return cmd
}

func (f *flags) run(ctx context.Context) error {
	dir := f.dataDir
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		dir = filepath.Join(home, ".mcpproxy")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(dir, "tray.lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("tray.lock: %w", err)
	}
	if !locked {
		return nil // this directory's icon is there already
	}
	defer func() { _ = lock.Unlock() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	desk, err := newDesk(f.proxyFlags(), cancel)
	if err != nil {
		return err
	}
	return show(ctx, cancel, func(view View) *program {
		p := newProgram(desk, view, func() (*client.Client, error) { return client.Dial(dir) })
		p.version, p.follow = version, f.follow
		return p
	})
}

// errNoTray is returned by a build without the tag tray.
var errNoTray = errors.New("this build has no tray icon; make tray builds one that has")

// proxyFlags choose the same instance for mcpproxy.
func (f *flags) proxyFlags() []string {
	var list []string
	for _, flag := range []struct{ name, value string }{{"--data-dir", f.dataDir}, {"--config", f.configPath}} {
		if flag.value == "" {
			continue
		}
		if abs, err := filepath.Abs(flag.value); err == nil {
			flag.value = abs
		}
		list = append(list, flag.name+"="+flag.value)
	}
	return list
}
