package proxy

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpproxy/internal/tool"
)

// managementTool is the one tool that a policy can take from the menu.
const managementTool = "upstream_servers"

// ownTool is one entry of the menu.
type ownTool struct {
	mcp.Tool
	run func(p *Proxy, ctx context.Context, q request) json.RawMessage
}

// callTool names the tool of the menu that calls tools of that access.
func callTool(a tool.Access) string { return "call_tool_" + a.String() }

// menu is everything that tools/list shows. Every agent pays for each
// character of it at every start; TestMenu_Size holds the bound.
func menu() []ownTool {
	const call = `{"type":"object","properties":{"id":{"type":"string","description":"server:tool"},` +
		`"arguments":{"type":"object","description":"As the tool's inputSchema says"}},"required":["id"]}`
	return []ownTool{
		entry("retrieve_tools", "Find tools by what you want to do. Start here: the tools of all connected MCP servers are reached only through this search. "+
			"Each hit has an id, its inputSchema and call_with, the tool to call it with.",
			`{"type":"object","properties":{`+
				`"query":{"type":"string","description":"One task in plain words"},`+
				`"queries":{"type":"array","items":{"type":"string"},"maxItems":5,"description":"Instead of query: one per step of a longer task"},`+
				`"limit":{"type":"integer"},`+
				`"server":{"type":"string","description":"Search only this server"},`+
				`"detail":{"enum":["full","compact","names"]}}}`,
			hints{readOnly: true, idempotent: true}, (*Proxy).retrieve),
		entry("call_tool_read", "Call a tool that only reads, by its id from retrieve_tools.", call,
			hints{readOnly: true, openWorld: true}, calling(tool.Read)),
		entry("call_tool_write", "Call a tool that adds or changes but destroys nothing.", call,
			hints{openWorld: true}, calling(tool.Write)),
		entry("call_tool_destructive", "Call a tool that may delete or overwrite, or does not say what it does. Accepts every tool.", call,
			hints{destructive: true, openWorld: true}, calling(tool.Destructive)),
		entry("read_cache", "Read on in an answer that was cut, with the key it names.",
			`{"type":"object","properties":{"key":{"type":"string"},`+
				`"offset":{"type":"integer","description":"First record or character, from 0"},`+
				`"limit":{"type":"integer","description":"How many"}},"required":["key"]}`,
			hints{readOnly: true, idempotent: true}, (*Proxy).readCache),
		entry(securityTool, "See what waits for the user's review. Only the user can approve it.",
			`{"type":"object","properties":{"operation":{"enum":["list","inspect"]},"name":{"type":"string"}},"required":["operation"]}`,
			hints{readOnly: true, idempotent: true}, (*Proxy).security),
		entry(managementTool, "See and change the MCP servers behind this proxy. What you add or change runs only after the user approved it.",
			`{"type":"object","properties":{`+
				`"operation":{"enum":["list","add","update","remove","enable","disable","restart","logs"]},`+
				`"name":{"type":"string"},"command":{"type":"string"},`+
				`"args":{"type":"array","items":{"type":"string"}},"args_json":{"type":"string"},`+
				`"env":{"type":"object"},"env_json":{"type":"string"},`+
				`"url":{"type":"string"},"headers":{"type":"object"},"headers_json":{"type":"string"},`+
				`"working_dir":{"type":"string"},"protocol":{"enum":["stdio","http","sse"]},`+
				`"enabled":{"type":"boolean"},"lines":{"type":"integer"}},"required":["operation"]}`,
			hints{destructive: true, openWorld: true}, (*Proxy).manage),
	}
}

func calling(a tool.Access) func(*Proxy, context.Context, request) json.RawMessage {
	return func(p *Proxy, ctx context.Context, q request) json.RawMessage { return p.call(ctx, q, a) }
}

// hints are the annotations of a tool; all four are always said.
type hints struct{ readOnly, destructive, idempotent, openWorld bool }

func entry(name, description, schema string, h hints, run func(*Proxy, context.Context, request) json.RawMessage) ownTool {
	t := mcp.NewToolWithRawSchema(name, description, json.RawMessage(schema))
	t.Annotations = mcp.ToolAnnotation{
		ReadOnlyHint: &h.readOnly, DestructiveHint: &h.destructive,
		IdempotentHint: &h.idempotent, OpenWorldHint: &h.openWorld,
	}
	return ownTool{Tool: t, run: run}
}
