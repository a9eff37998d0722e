package proxy

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"go.uber.org/zap"

	"mcpproxy/index"
	"mcpproxy/internal/audit"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

// Searcher finds approved tools.
type Searcher interface {
	Search(ctx context.Context, q index.Query) ([]index.Hit, error)
	Get(id tool.ID) (tool.Tool, bool)
}

// Checker says whether exactly this definition was approved. Any error means
// that it is held; its text never reaches an agent.
type Checker interface {
	Check(id tool.ID, h tool.Hash) error
	// Waits reports whether the tool waits for a person, in whatever form.
	Waits(id tool.ID) bool
}

// Caller calls an upstream's tool, and gets its prompts and resources.
type Caller interface {
	Call(ctx context.Context, c upstream.Call) (upstream.Result, error)
	Fetch(ctx context.Context, f upstream.Fetch) (upstream.Result, error)
}

// Options is what a Proxy stands on. Index, Gate, Pool and Servers are needed;
// functions are called for every request and must be cheap.
type Options struct {
	Index    Searcher
	Gate     Checker
	Pool     Caller
	Servers  Manager
	Limits   func() Limits   // nil means the defaults
	Policy   func() Policy   // nil allows everything
	Overview func() Overview // nil means nothing is connected
	Log      *zap.Logger     // nil discards
	// Record is told every call of an upstream's tool once it ended; nil: nobody.
	// It must not block.
	Record func(audit.Entry)
	// Relist asks for a new listing of a server, beside its calls; nil: nobody.
	Relist  func(server string)
	Meter   Meter // nil: nobody counts
	Version string
}

// Limits bound the answers.
type Limits struct {
	TopK          int // tools that retrieve_tools returns unasked; 0 means 5
	ToolsLimit    int // most it returns; 0 means 15
	ResponseLimit int // characters of an answer; 0 means no limit
	// RecordArguments has the record keep what is called with.
	RecordArguments bool
}

// Policy says what an agent may do with upstream_servers.
type Policy struct {
	DisableManagement bool // the tool is not there at all
	ReadOnly          bool // looking only
	AllowAdd          bool
	AllowRemove       bool
}

// Overview names what is behind the proxy.
type Overview struct {
	Servers  []ServerTools // connected, with approved tools
	Waiting  []string      // servers that wait for a person's approval
	Starting []string      // servers whose first listing is under way
}

// ServerTools counts the approved tools of one server.
type ServerTools struct {
	Name  string
	Tools int
}

// Proxy answers agents. Safe for concurrent use.
type Proxy struct {
	opt      Options
	log      *zap.Logger
	menu     []ownTool
	known    definitions
	pages    *pages
	sessions *sessions
	mcp      *server.MCPServer
	http     *server.StreamableHTTPServer
	starting startingNote
	streams  streams
	shelf    atomic.Pointer[shelf]
	offering sync.Mutex // guards replacing shelf
}

// transportTTL is how long mcp-go keeps its own state of an idle session. Ours
// lives longer; see [sessions].
const transportTTL = time.Hour

// New returns a Proxy. Close must be called.
func New(opt Options) *Proxy {
	opt = opt.withDefaults()
	p := &Proxy{opt: opt, log: opt.Log, pages: newPages(pageBytes, pageTTL), sessions: newSessions()}
	p.streams.done = make(chan struct{})
	p.shelf.Store(stock(map[string]goods{}))
	p.menu = menu()
	p.mcp = server.NewMCPServer("mcpproxy", opt.Version,
		server.WithToolCapabilities(true), server.WithPromptCapabilities(true), server.WithResourceCapabilities(false, true),
		server.WithLogging(), server.WithRecovery(),
		server.WithHooks(p.hooks()), server.WithToolFilter(p.allowed))
	for _, t := range p.menu {
		p.mcp.AddTool(t.Tool, p.handle(t))
	}
	p.handlePassThrough()
	quiet := slog.New(slog.DiscardHandler) // it logs session ids
	p.http = server.NewStreamableHTTPServer(p.mcp,
		server.WithSessionIdManager(p.sessions), server.WithSessionIdleTTL(transportTTL),
		server.WithStreamableHTTPLogger(quiet),
		server.WithDisableLocalhostProtection(true)) // the guard of package api checks Host on every route
	return p
}

func (o Options) withDefaults() Options {
	if o.Limits == nil {
		o.Limits = func() Limits { return Limits{ResponseLimit: 20000} }
	}
	if o.Policy == nil {
		o.Policy = func() Policy { return Policy{AllowAdd: true, AllowRemove: true} }
	}
	if o.Overview == nil {
		o.Overview = func() Overview { return Overview{} }
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// limits returns the limits in force with defaults filled in.
func (p *Proxy) limits() Limits {
	l := p.opt.Limits()
	if l.ToolsLimit <= 0 {
		l.ToolsLimit = 15
	}
	if l.TopK <= 0 {
		l.TopK = 5
	}
	l.TopK = min(l.TopK, l.ToolsLimit)
	return l
}

func (p *Proxy) hooks() *server.Hooks {
	h := &server.Hooks{}
	h.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		result.Instructions = p.instructions()
	})
	h.AddAfterDiscover(func(_ context.Context, _ any, _ *mcp.DiscoverRequest, result *mcp.DiscoverResult) {
		result.Instructions = p.instructions()
	})
	h.AddAfterListTools(func(context.Context, any, *mcp.ListToolsRequest, *mcp.ListToolsResult) { p.opt.Meter.Listed() })
	h.AddAfterSetLevel(func(ctx context.Context, _ any, request *mcp.SetLevelRequest, _ *mcp.EmptyResult) {
		if r := replyFrom(ctx); r != nil && r.session != nil {
			r.session.level.Store(string(request.Params.Level))
		}
	})
	h.AddOnRequestInitialization(func(ctx context.Context, id, message any) error {
		if r := replyFrom(ctx); r != nil {
			r.id = id
			r.message, _ = message.(json.RawMessage)
		}
		return nil
	})
	p.passThrough(h)
	// A session that mcp-go can broadcast to would answer every later call with
	// an event stream; ours have their own stream.
	h.AddOnRegisterSession(func(ctx context.Context, s server.ClientSession) {
		p.mcp.UnregisterSession(ctx, s.SessionID())
	})
	return h
}

// ToolsChanged tells every client that the menu may differ, such as after a
// change of the policy.
func (p *Proxy) ToolsChanged() { p.announce(mcp.MethodNotificationToolsListChanged) }

// announce sends every client a notification without params; one that waits
// already stands for it.
func (p *Proxy) announce(method string) {
	frame := []byte(`{"jsonrpc":"2.0","method":"` + method + `"}`)
	p.sessions.each(func(s *session) { s.stream.publish(method, frame) })
	p.mcp.SendNotificationToAllClients(method, nil) // streams of 2026-07-28
}

// LogMessage hands the params of an upstream's notifications/message to every
// client that listens and whose level admits it. The server's name becomes
// part of the logger's. It never blocks.
func (p *Proxy) LogMessage(server string, params json.RawMessage) {
	frame, level, ok := logFrame(server, params)
	if !ok {
		return
	}
	p.sessions.each(func(s *session) {
		if s.stream.listening() && level.ShouldSendTo(s.logLevel()) {
			s.stream.publish("", frame)
		}
	})
}

// Close ends every stream and waits for it until ctx ends. Calls in flight end
// with the HTTP server's own shutdown.
func (p *Proxy) Close(ctx context.Context) error {
	p.pages.close()
	err := p.http.Shutdown(ctx)
	ended := p.streams.close()
	select {
	case <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Handler returns the handler of the MCP endpoint. Host, Origin and content
// type are checked by whoever mounts it.
func (p *Proxy) Handler() http.Handler { return http.HandlerFunc(p.serve) }
