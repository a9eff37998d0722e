package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcpproxy/index"
	"mcpproxy/internal/audit"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

const maxErrorText = 2000 // characters of an upstream's error that an agent sees

// call answers call_tool_read, call_tool_write and call_tool_destructive.
func (p *Proxy) call(ctx context.Context, q request, access tool.Access) json.RawMessage {
	name := callTool(access)
	id, args, err := readCall(q.args)
	if err != nil {
		return failure(name+": "+err.Error(), name+` takes {"id":"server:tool","arguments":{...}}; retrieve_tools finds ids`)
	}
	rec := p.recording(ctx, id, args)
	d, refusal := p.admit(ctx, id)
	if refusal != nil {
		rec.end(nil, audit.Refused, nil)
		return refusal
	}
	if want := d.tool.Access(); access != tool.Destructive && access != want {
		rec.end(d, audit.Refused, nil)
		return failuref("call "+callTool(want)+" with the same id and arguments",
			"%s is a %s tool as far as its annotations say, so it cannot be called with %s.", id, want, name)
	}
	q.args = args
	return p.cut(p.forward(ctx, d, q, rec), p.limits().ResponseLimit)
}

// admit returns the approved definition of id, or the answer to an agent that
// may not call it.
func (p *Proxy) admit(ctx context.Context, id tool.ID) (d *definition, refusal json.RawMessage) {
	t, found := p.opt.Index.Get(id)
	if !found {
		return nil, p.unknown(ctx, id)
	}
	d = p.known.of(t)
	if p.opt.Gate.Check(id, d.hash) != nil {
		return nil, held(id)
	}
	return d, p.stale(ctx, d)
}

// readCall splits the arguments of a call tool. args is what the agent gave for
// the upstream's tool, "{}" if nothing.
func readCall(raw json.RawMessage) (id tool.ID, args json.RawMessage, err error) {
	list, err := members(raw)
	if err != nil {
		return id, nil, err
	}
	var name string
	args = json.RawMessage("{}")
	for _, m := range list {
		switch m.Key {
		case "id":
			if name, err = readString(m); err != nil {
				return id, nil, err
			}
		case "arguments":
			args = m.Value
		default:
			return id, nil, fmt.Errorf("unknown argument %q: what is for the tool itself belongs inside \"arguments\"", escape.Clip(m.Key, 50))
		}
	}
	if name == "" {
		return id, nil, errors.New("id is missing")
	}
	id, err = tool.ParseID(name)
	return id, args, err
}

// forward takes a call of an admitted tool through the argument check to the
// upstream and returns its answer as it came, or a failure of ours. q.args are
// what the agent gave for that tool.
func (p *Proxy) forward(ctx context.Context, d *definition, q request, rec recorded) json.RawMessage {
	id := d.tool.ID
	args, err := readArguments(q.args)
	if err == nil {
		err = d.check(args)
	}
	if err != nil {
		rec.end(d, audit.Refused, nil)
		limit := p.limits().ResponseLimit
		return failuref("correct the arguments and call again", "The arguments do not fit %s, so it was not called:\n%s\nIts inputSchema:\n%s",
			id, err, schemaText(d.tool.InputSchema, limit))
	}
	p.greet(ctx, id.Server)
	res, err := p.opt.Pool.Call(ctx, upstream.Call{ID: id, Arguments: args, Meta: q.meta, Progress: q.progress, Want: d.hash})
	rec.end(d, outcomeOf(ctx, res, err), res.Raw)
	if err != nil {
		return p.explain(ctx, id, err)
	}
	if raw := bytes.TrimLeft(res.Raw, " \t\r\n"); len(raw) == 0 || raw[0] != '{' {
		return failuref("", "%s answered with something that is not a tool result.", id)
	}
	return res.Raw
}

// readArguments accepts an object or a string that holds one.
func readArguments(args json.RawMessage) (json.RawMessage, error) {
	args = bytes.TrimSpace(unwrapped(args))
	if len(args) == 0 || string(args) == "null" {
		return json.RawMessage("{}"), nil
	}
	if args[0] != '{' || !json.Valid(args) {
		return nil, errors.New("arguments must be a JSON object, or a string that holds one")
	}
	return args, nil
}

// schemaText shows a schema in at most half of the room of an answer.
func schemaText(schema json.RawMessage, limit int) string {
	text := string(oneLine(schema))
	if text == "" {
		text = "(none)"
	}
	if limit > 0 {
		text = escape.Clip(text, max(limit/2, 200))
	}
	return text
}

// unknown answers for an id that is not in the index: its server may wait or
// start, or the name is wrong. Suggestions are approved tools only.
func (p *Proxy) unknown(ctx context.Context, id tool.ID) json.RawMessage {
	o := p.opt.Overview()
	switch {
	case slices.Contains(o.Waiting, id.Server), p.opt.Gate.Waits(id):
		return held(id)
	case slices.Contains(o.Starting, id.Server):
		return failuref("call again in a few seconds", "Server %s is still starting.", printable(id.Server))
	}
	next := "search with retrieve_tools"
	if near := p.nearest(ctx, id); len(near) > 0 {
		next = "use one of the nearest ids: " + strings.Join(near, ", ") + "; or " + next
	}
	return failuref(next, "No tool has the id %q.", escape.Clip(id.String(), 120))
}

func (p *Proxy) nearest(ctx context.Context, id tool.ID) []string {
	const most = 3
	hits, err := p.opt.Index.Search(ctx, index.Query{Text: escape.Clip(id.Name+" "+id.Server, 200), Limit: most, Mode: index.BM25})
	if err != nil {
		return nil
	}
	var ids []string
	for _, f := range p.approved(hits, nameOnly) {
		ids = append(ids, f.def.tool.ID.String())
	}
	return ids
}

// held names the tool in the agent's own words and the reviewer's command, and
// nothing of what is held.
func held(id tool.ID) json.RawMessage {
	return failuref("ask the user to review it: "+reviewing(id.Server), "%s is held: nobody has approved it in its present form.", escape.Clip(id.String(), 120))
}

// explain turns an error of a call into words. An RPC error of an approved
// server is quoted.
func (p *Proxy) explain(ctx context.Context, id tool.ID, err error) json.RawMessage {
	logs := "see why with: " + suggested("upstream", "logs", id.Server)
	switch {
	case ctx.Err() != nil:
		return failuref("", "The call of %s was cancelled.", id)
	case errors.Is(err, context.DeadlineExceeded):
		return failuref("ask for less at once, or raise \"timeout\" of that server in the configuration", "%s did not answer in time.", id)
	}
	return failuref("check the arguments and the server's state (upstream_servers list); "+logs,
		"%s failed: %s", id, plainText(err.Error(), maxErrorText))
}
