package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
)

// request is one call of one of our own tools.
type request struct {
	args     json.RawMessage              // a JSON object
	meta     json.RawMessage              // of the client, to pass on; nil without any
	progress func(params json.RawMessage) // nil if the client asked for none
}

// handle makes an ownTool a handler of mcp-go.
func (p *Proxy) handle(t ownTool) server.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		rep := replyFrom(ctx)
		if rep == nil {
			return rep.answer(ctx, t.run(p, ctx, request{args: rawArguments(req)})), nil
		}
		if !rep.session.enter() {
			return rep.answer(ctx, failuref("wait for one of them to end", "%d calls of this session are running already", maxInFlight)), nil
		}
		defer rep.session.leave()
		q := request{args: rawArguments(req)}
		if req.Params.Meta != nil {
			var done func()
			q.meta, q.progress, done = rep.passedOn()
			defer done()
		}
		return rep.answer(ctx, t.run(p, ctx, q)), nil
	}
}

func rawArguments(req mcp.CallToolRequest) json.RawMessage {
	if len(req.Params.RawArguments) > 0 {
		return req.Params.RawArguments
	}
	raw, err := json.Marshal(req.Params.Arguments)
	if err != nil || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

// requestMeta returns the _meta of a request without what belongs to this hop
// (the token and the reserved protocol keys), and the client's progress token.
func requestMeta(message json.RawMessage) (meta, token json.RawMessage) {
	var m struct {
		Params struct {
			Meta json.RawMessage `json:"_meta"`
		} `json:"params"`
	}
	if json.Unmarshal(message, &m) != nil {
		return nil, nil
	}
	list, err := members(m.Params.Meta)
	if err != nil {
		return nil, nil
	}
	var rest []member
	for _, m := range list {
		switch {
		case m.Key == "progressToken":
			token = m.Value
		case !strings.HasPrefix(m.Key, "io.modelcontextprotocol/"):
			rest = append(rest, m)
		}
	}
	if len(rest) > 0 {
		meta = object(rest)
	}
	return meta, token
}

// CallTool calls one of our own tools by name, or an upstream's by
// "server:tool" through the gate and the argument check, and returns the raw
// CallToolResult. It is for a person's surface: the split of call_tool_* by
// access does not apply and an upstream's answer is never cut. It returns a
// [*client.Error] for a name that is neither.
func (p *Proxy) CallTool(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(args)) == 0 {
		args = json.RawMessage("{}")
	}
	for _, t := range p.menu {
		if t.Name == name && (t.Name != managementTool || !p.opt.Policy().DisableManagement) {
			return t.run(p, ctx, request{args: args}), nil
		}
	}
	if name == managementTool {
		return nil, &client.Error{Code: client.CodeForbidden, Message: managementTool + " is switched off", Hint: "start mcpproxy without --disable-management"}
	}
	id, err := tool.ParseID(name)
	if err != nil {
		return nil, &client.Error{Code: client.CodeNotFound, Message: "no tool is called " + escape.Clip(name, 100),
			Hint: "name an upstream's tool as server:tool; mcpproxy search finds one"}
	}
	rec := p.recording(ctx, id, args)
	d, refusal := p.admit(ctx, id)
	if refusal != nil {
		rec.end(nil, audit.Refused, nil)
		return refusal, nil
	}
	return p.forward(ctx, d, request{args: args}, rec), nil
}

// allowed filters the menu by the policy in force.
func (p *Proxy) allowed(_ context.Context, tools []mcp.Tool) []mcp.Tool {
	if !p.opt.Policy().DisableManagement {
		return tools
	}
	kept := make([]mcp.Tool, 0, len(tools))
	for _, t := range tools {
		if t.Name != managementTool {
			kept = append(kept, t)
		}
	}
	return kept
}
