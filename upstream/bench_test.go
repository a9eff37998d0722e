package upstream_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"go.uber.org/zap"

	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
	"mcpproxy/upstream/upstreamtest"
)

// BenchmarkPool_Call measures whole calls; "pipe" has no process behind it and
// so is nearly all overhead.
func BenchmarkPool_Call(b *testing.B) {
	child, err := upstreamtest.Command(upstream.Spec{Name: "a"}, upstreamtest.Script{Tools: upstreamtest.Tools("t", 10)})
	if err != nil {
		b.Fatal(err)
	}
	inProcess := upstreamtest.Table(map[string]*upstreamtest.Server{"a": {}})
	for _, c := range []struct {
		name    string
		spec    upstream.Spec
		dialers map[string]upstream.Dialer
	}{{"pipe", stdio("a"), inProcess}, {"stdio", child, nil}} {
		b.Run(c.name, func(b *testing.B) {
			p := upstream.NewPool(upstream.Options{Dialers: c.dialers})
			defer p.Close()
			if err := p.Apply(b.Context(), []upstream.Spec{c.spec}); err != nil {
				b.Fatal(err)
			}
			one := upstream.Call{ID: tool.ID{Server: "a", Name: "t0"}, Arguments: json.RawMessage(`{"text":"some words to echo","n":12}`)}
			if _, err := p.Call(b.Context(), one); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Call(b.Context(), one); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTransport_Call is the same call on the bare transport: what Pool
// adds is the difference.
func BenchmarkTransport_Call(b *testing.B) {
	spec, err := upstreamtest.Command(upstream.Spec{Name: "a"}, upstreamtest.Script{})
	if err != nil {
		b.Fatal(err)
	}
	conn, err := upstream.DefaultDialers()[upstream.Stdio](b.Context(), spec, upstream.DialEnv{Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	params := json.RawMessage(`{"name":"t0","arguments":{"text":"some words to echo","n":12}}`)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		if _, err := conn.SendRequest(b.Context(), transport.JSONRPCRequest{
			JSONRPC: "2.0", ID: mcp.NewRequestId(i), Method: "tools/call", Params: params,
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPool_Start brings up 77 stdio children with 8 tools each.
func BenchmarkPool_Start(b *testing.B) {
	var specs []upstream.Spec
	for i := range 77 {
		s, err := upstreamtest.Command(upstream.Spec{Name: fmt.Sprintf("s%d", i)}, upstreamtest.Script{Tools: upstreamtest.Tools("t", 8)})
		if err != nil {
			b.Fatal(err)
		}
		specs = append(specs, s)
	}
	for b.Loop() {
		p := upstream.NewPool(upstream.Options{})
		sub := p.Changes().Subscribe()
		if err := p.Apply(b.Context(), specs); err != nil {
			b.Fatal(err)
		}
		for !allReady(p) {
			if _, err := sub.Next(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		sub.Close()
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func allReady(p *upstream.Pool) bool {
	return !slices.ContainsFunc(p.Status(), func(s upstream.Status) bool { return s.State != upstream.Ready })
}
