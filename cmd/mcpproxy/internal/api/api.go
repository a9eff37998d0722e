package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Surface is how a request reached the program.
type Surface int

// The surfaces.
const (
	// TCP is an address of the configuration: anyone who reaches it may ask, so
	// Host is checked and everything but /mcp and the probes needs the key.
	TCP Surface = iota
	// Local is the unix socket, whose peer the kernel vouches for, or memory.
	Local
)

// Options configures an [API].
type Options struct {
	Service Service
	MCP     http.Handler // /mcp and /mcp/; must honour the request's context
	Metrics http.Handler // /metrics; nil: it answers 503

	Key string // of the REST API over TCP, from [Key]; empty: nobody has it
	// RequireKey is asked at each request whether /mcp needs the key too:
	// require_mcp_auth, or listening beyond loopback. nil: it does not.
	RequireKey   func() bool
	TrustedHosts []string // further hosts, without port, that Host and Origin may name

	Events *Events // of GET /events; nil: there never are any

	// Endpoint returns the URL that an IDE is given, or "" while none serves; nil
	// means never. One-time links to the page are made from it.
	Endpoint func() string

	Log *zap.Logger // nil: silent
}

// API is the router and its guard. Safe for concurrent use.
type API struct {
	opt      Options
	trusted  map[string]bool
	inFlight inFlight
	sessions *sessions
	document func() []byte // OpenAPI
}

// New returns an API; it starts nothing.
func New(opt Options) *API {
	if opt.Log == nil {
		opt.Log = zap.NewNop()
	}
	if opt.Endpoint == nil {
		opt.Endpoint = func() string { return "" }
	}
	if opt.RequireKey == nil {
		opt.RequireKey = func() bool { return false }
	}
	if opt.Events == nil {
		opt.Events = NewEvents()
	}
	a := &API{opt: opt, trusted: map[string]bool{}, sessions: newSessions(time.Now)}
	a.document = sync.OnceValue(func() []byte { return document(routes) })
	for _, h := range opt.TrustedHosts {
		a.trusted[canonicalHost(h)] = true
	}
	return a
}

// Handler returns every route behind the guard of surface s.
func (a *API) Handler(s Surface) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+r.pattern, a.admit(s, r))
	}
	return a.guard(s, mux)
}

// The limits of a connection. There is no write deadline: answers stream.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeader         = 32 << 10
	maxConnections    = 512
	maxInFlight       = 64 // of one client
	shutdownGrace     = 3 * time.Second
)

// Serve answers on l until ctx ends, then lets calls finish for three seconds
// and closes l. Streams that a client opened with GET end at once. A listener of
// [ListenLocal] that is no unix socket (Windows) is treated as [TCP].
func (a *API) Serve(ctx context.Context, l net.Listener, s Surface) error {
	if s == Local && l.Addr().Network() != "unix" {
		s = TCP
	}
	errorLog, err := zap.NewStdLogAt(a.opt.Log, zap.DebugLevel)
	if err != nil {
		return err
	}
	crowd := &crowd{most: maxConnections}
	server := &http.Server{
		Handler:           endStreams(ctx, a.Handler(s)),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          errorLog,
		ConnState:         crowd.state,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(crowd.listener(l)) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close() // cuts what did not finish
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// endStreams ends the context of GET requests with ctx: an event stream that a
// client holds open must not delay the shutdown, a call may.
func endStreams(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			own, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			r = r.WithContext(own)
		}
		next.ServeHTTP(w, r)
	})
}
