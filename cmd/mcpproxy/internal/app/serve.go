package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/store"
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

// listen opens every address of the configuration. With port 0 the first
// address chooses and the others follow.
func (a *App) listen() ([]net.Listener, error) {
	var open []net.Listener
	for _, addr := range config.ListenAddrs(a.listenAddr()) {
		if host, port, err := net.SplitHostPort(addr); err == nil && port == "0" && len(open) > 0 {
			_, port, _ = net.SplitHostPort(open[0].Addr().String())
			addr = net.JoinHostPort(host, port)
		}
		l, err := net.Listen(network(addr), addr)
		if err != nil {
			if len(open) > 0 && unavailable(err) {
				a.log.Debug("no IPv6 loopback here", zap.String("addr", addr))
				continue
			}
			closeAll(open)
			return nil, fmt.Errorf("listen on %s: %w\nhint: choose another address with --listen, such as --listen :8081", addr, err)
		}
		open = append(open, l)
	}
	return open, nil
}

// network keeps an IPv4 literal to IPv4: Go would bind 0.0.0.0 for IPv6 too.
func network(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); err == nil && bad == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// unavailable reports whether the machine has no such address at all, as one
// without IPv6.
func unavailable(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
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

// endpointNow is the URL for an IDE, or "" before the listener is open.
func (a *App) endpointNow() string {
	if e := a.endpoint.Load(); e != nil {
		return *e
	}
	return ""
}

// endpointURL is what an IDE on this machine is given. An address that stands
// for all of them has no name of its own.
func endpointURL(addr net.Addr, loopback bool) string {
	bound, err := netip.ParseAddrPort(addr.String())
	if err == nil && (loopback || bound.Addr().IsUnspecified()) {
		return fmt.Sprintf("http://localhost:%d/mcp/", bound.Port())
	}
	return "http://" + addr.String() + "/mcp/"
}

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
