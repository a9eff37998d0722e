package proxy

import (
	"context"
	"strings"
	"testing"
	"time"

	"mcpproxy/upstream"
)

// tally is a Meter for one goroutine at a time.
type tally struct{ listed, searched, bytes, truncated int }

func (m *tally) Listed()                             { m.listed++ }
func (m *tally) Searched(_ time.Duration, bytes int) { m.searched++; m.bytes += bytes }
func (m *tally) Truncated()                          { m.truncated++ }

func TestMeter_CountsWhatAgentsDo(t *testing.T) {
	t.Parallel()
	w, m := newWorld(), &tally{}
	w.meter = m
	w.limits.ResponseLimit = 1000
	w.add(t, "a", `{"name":"t","description":"Do it","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}`)
	w.call = func(context.Context, upstream.Call) (upstream.Result, error) {
		return upstream.Result{Raw: longResult(textOf(strings.Repeat("x", 2000)))}, nil
	}
	a, p := w.agent(t)
	a.request("tools/list", `{}`)
	answer := a.tool("retrieve_tools", `{"query":"do it"}`)
	a.tool("call_tool_read", `{"id":"a:t"}`)
	if *m != (tally{1, 1, len(answer), 1}) {
		t.Errorf("counted %+v, the search answered %d bytes", *m, len(answer))
	}
	all := p.MenuSize()
	w.policy.DisableManagement = true
	if less := p.MenuSize(); less <= 0 || less >= all {
		t.Errorf("menu of %d bytes, without management of %d", all, less)
	}
}
