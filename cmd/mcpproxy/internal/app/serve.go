package app

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/quarantine"
)

// Serve runs an instance until ctx ends, then closes it. ready is called once
// the endpoint accepts requests; upstreams may still be starting. It returns an
// error wrapping [store.ErrLocked] if another instance has the data directory,
// and config.Faults if the file cannot be used.
func Serve(ctx context.Context, opt Options, ready func(Ready)) (err error) {
	a, err := open(opt, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	a.unlockSecrets()
	return a.run(ctx, ready)
}

func (a *App) run(ctx context.Context, ready func(Ready)) error {
	listeners, err := a.listen()
	if err != nil {
		return err
	}
	local, socket, err := api.ListenLocal(a.dir)
	if err != nil {
		closeAll(listeners)
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := func() { cancel() }
	a.stop.Store(&stop)
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		g.Go(func() error { return a.api.Serve(ctx, l, api.TCP) })
	}
	g.Go(func() error { return a.api.Serve(ctx, local, api.Local) })
	g.Go(func() error { return a.sync.Run(ctx) })
	g.Go(func() error { return a.watch(ctx) })
	g.Go(func() error { return a.sweep(ctx) })
	g.Go(func() error { return a.sentence.run(ctx) })
	g.Go(func() error { return a.followApprovals(ctx) })
	g.Go(func() error { return a.followImages(ctx) })
	g.Go(func() error { return a.keepUsage(ctx) })
	a.followChanges(ctx, g)
	if err := a.reapply(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("configuration not applied", zap.Error(err))
	}
	ready(a.readyLine(listeners, socket))
	a.startTray()
	<-ctx.Done()
	a.log.Info("stopping")
	a.endStreams()
	return g.Wait()
}

// endStreams ends the agents' open streams, which would hold up the listeners.
func (a *App) endStreams() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := a.proxy.Close(ctx); err != nil {
		a.log.Warn("streams did not end in time", zap.Error(err))
	}
}

func (a *App) readyLine(listeners []net.Listener, socket string) Ready {
	endpoint := endpointURL(listeners[0].Addr(), config.IsLoopback(a.listenAddr()))
	a.endpoint.Store(&endpoint)
	_, missing := os.Stat(a.configPath)
	cfg := a.inForce.Load()
	var unseen []client.Server
	for name, policy := range policiesOf(cfg) {
		if policy != quarantine.PolicyNone {
			unseen = append(unseen, client.Server{Name: name, AutoApprove: string(policy)})
		}
	}
	slices.SortFunc(unseen, func(x, y client.Server) int { return strings.Compare(x.Name, y.Name) })
	page, err := a.api.Link(endpoint)
	if err != nil {
		a.log.Warn("no link to the web page", zap.Error(err))
	}
	return Ready{
		AutoApproving: unseen, Loss: a.lost(), Page: page.URL,
		Endpoint: endpoint, Socket: socket, DataDir: a.dir, ConfigPath: a.configPath,
		ConfigMissing: missing != nil, Servers: len(cfg.Servers), Waiting: len(a.overview().Waiting),
	}
}
