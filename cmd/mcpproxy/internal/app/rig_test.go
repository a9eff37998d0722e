package app

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/mcpclient"
	"mcpproxy/internal/realtest"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// TestMain makes this test binary the scripted server that upstreamtest.Command
// starts.
func TestMain(m *testing.M) {
	upstreamtest.Main()
	os.Exit(m.Run())
}

// rig is a whole program on a directory of its own: endpoint, gate, index, pool.
// What a person does goes through the local surface, what agents do through /mcp
// on TCP.
type rig struct {
	t       testing.TB
	dir     string
	servers map[string]any // of the configuration
	top     map[string]any // further keys of it
	timing  upstream.Timing

	app    *App
	person *client.Client
	url    string // where agents come
	stop   func()
}

// busy is how often servers in use are listed again in a rig: 60 s in life.
const busy = 150 * time.Millisecond

func newRig(t testing.TB) *rig {
	r := &rig{t: t, dir: t.TempDir(), servers: map[string]any{}, top: map[string]any{"model": "none"}, timing: upstream.Timing{
		RelistBusy: busy, RelistGap: 5 * time.Millisecond, RelistEarly: busy, Retry: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond,
	}}
	t.Cleanup(func() {
		if r.stop != nil {
			r.stop()
		}
	})
	return r
}

// configure writes the file.
func (r *rig) configure() {
	r.t.Helper()
	cfg := map[string]any{"listen": "127.0.0.1:0", "enable_tray": false, "mcpServers": r.servers}
	maps.Copy(cfg, r.top)
	text, err := json.Marshal(cfg)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "mcp_config.json"), text, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// start runs the program until stop.
func (r *rig) start() {
	r.t.Helper()
	r.configure()
	a, err := open(Options{DataDir: r.dir, Version: "test", timing: r.timing}, true)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.run(ctx, func(Ready) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		r.t.Fatal(err)
	}
	front := httptest.NewServer(a.api.Handler(api.TCP))
	r.app, r.person, r.url = a, client.InProcess(a.api.Handler(api.Local)), front.URL
	r.stop = func() {
		cancel()
		front.CloseClientConnections()
		front.Close()
		if err := errors.Join(<-ended, a.Close()); err != nil {
			r.t.Errorf("the program ended with %v", err)
		}
		r.stop = nil
	}
}

// add configures a server that runs script over the transport.
func (r *rig) add(name, transport string, script upstreamtest.Script) {
	r.t.Helper()
	switch transport {
	case upstream.Stdio:
		spec, err := upstreamtest.Command(upstream.Spec{}, script)
		if err != nil {
			r.t.Fatal(err)
		}
		r.servers[name] = map[string]any{"command": spec.Command, "env": spec.Env}
	default:
		r.serve(name, transport, &upstreamtest.Server{Script: script})
	}
}

// serve configures a server of this process that is reached over HTTP or SSE.
func (r *rig) serve(name, transport string, s *upstreamtest.Server) {
	handler := s.Streamable()
	if transport == upstream.SSE {
		handler = s.SSE()
	}
	front := httptest.NewServer(handler)
	r.t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	r.servers[name] = map[string]any{"url": front.URL, "type": transport}
}

// approve does what a person does with a new server: look once, approve that.
func (r *rig) approve(name string) {
	r.t.Helper()
	page, err := r.person.Inspect(r.t.Context(), name, client.ListOptions{})
	if err == nil {
		_, err = r.person.Approve(r.t.Context(), name, page.Hash)
	}
	if err != nil {
		r.t.Fatalf("approve %s: %v", name, err)
	}
}

// wait polls until ok returns nil.
func (r *rig) wait(what string, ok func() error) {
	r.t.Helper()
	realtest.Until(r.t, what, ok)
}

// synced waits until a listing of the server went through the gate.
func (r *rig) synced(name string) {
	r.t.Helper()
	r.wait("a listing of "+name, func() error {
		if !r.app.sync.Synced(name) {
			return errNotYet
		}
		return nil
	})
}

// agent opens an MCP session of its own.
func (r *rig) agent() *mcpclient.Session {
	r.t.Helper()
	s, err := mcpclient.Open(r.t.Context(), r.url+"/mcp")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

var errNotYet = errors.New("not yet")
