package api

import (
	"encoding/json"

	"mcpproxy/internal/client"
)

// operations describes the routes; a test holds them all against the table.
var operations = map[string]operation{
	"GET /healthz": {about: "The process is up. With a challenge it proves that it has the key.", out: client.Health{},
		query: []parameter{{"challenge", "at most 64 characters", ""}}},
	"GET /readyz":       {about: "200 once every approved server was listed or failed, else 503", out: client.Readiness{}},
	"GET /metrics":      {about: "Counters and histograms for Prometheus", kind: asText},
	"GET /{$}":          {about: "Leads to the page", kind: asPage},
	"GET /ui/{path...}": {about: "The page and its files", kind: asPage},

	"POST /mcp":       {about: "Model Context Protocol, streamable HTTP", kind: asMCP},
	"GET /mcp":        {about: "The stream of a session", kind: asMCP},
	"DELETE /mcp":     {about: "Ends a session", kind: asMCP},
	"POST /mcp/{$}":   {about: "Model Context Protocol, streamable HTTP", kind: asMCP},
	"GET /mcp/{$}":    {about: "The stream of a session", kind: asMCP},
	"DELETE /mcp/{$}": {about: "Ends a session", kind: asMCP},

	"GET /api/v1/openapi.json":  {about: "This document", out: json.RawMessage(nil)},
	"GET /api/v1/session":       {about: "Whether who asks is logged in; a browser shows its CSRF token", out: client.Session{}},
	"POST /api/v1/session":      {about: "Logs a browser in with the token of a one-time link", in: client.LoginRequest{}, out: client.Session{}},
	"DELETE /api/v1/session":    {about: "Logs the browser out", out: client.Session{}},
	"POST /api/v1/session/link": {about: "Makes a one-time link to the page", in: nothing{}},
	"GET /events":               {about: "What to look at again; Last-Event-ID resumes", kind: asEvents, out: client.Event{}},

	"GET /api/v1/status":    {about: "One screen about everything"},
	"POST /api/v1/shutdown": {about: "Ends the instance"},
	"GET /api/v1/stats":     {about: "What agents did and what the proxy saved them"},
	"GET /api/v1/audit": {about: "The record, oldest first", query: []parameter{
		{"what", "such as call, approved or config", ""}, {"server", "", ""}, {"tool", "", ""}, {"outcome", "ok, failed, unsent, refused or cancelled", ""},
		{"since", "a time in RFC 3339", ""}, {"after", "the seq of an entry", 0}, {"limit", "the newest of them; 0 is all", 0}, {"wait", "seconds for the first one, at most 60", 0}}},
}

// The routes of the configured servers.
var serverOperations = map[string]operation{
	"GET /api/v1/servers":                 {about: "The configured servers, in the order of the file"},
	"POST /api/v1/servers":                {about: "Adds a server; it waits for approval"},
	"GET /api/v1/servers/{name}":          {about: "One server"},
	"PATCH /api/v1/servers/{name}":        {about: "Changes the given fields"},
	"DELETE /api/v1/servers/{name}":       {about: "Takes a server out of the configuration"},
	"POST /api/v1/servers/{name}/restart": {about: "Starts a server anew", in: nothing{}},
	"POST /api/v1/servers/{name}/login":   {about: "Logs in at a remote server; the first line has the address for the browser", in: client.ServerLoginRequest{}, out: client.Progress{}, kind: asLines},
	"POST /api/v1/servers/{name}/logout":  {about: "Forgets the tokens of a server"},
	"GET /api/v1/logins":                  {about: "The logins of all remote servers"},
	"GET /api/v1/servers/{name}/logs": {about: "The end of a server's own log; with follow an event stream of lines", out: client.Logs{},
		query: []parameter{{"lines", "how many, 50 by default", 0}, {"follow", "go on with what is written", false}}},
	"POST /api/v1/servers/{name}/tools":     {about: "Lists a server now", in: client.ListRequest{}, out: client.Progress{}, kind: asLines},
	"POST /api/v1/servers/{name}/isolation": {about: "Shows what a server sees of its walls"},
}

// The routes of tools, the search and its models.
var toolOperations = map[string]operation{
	"GET /api/v1/tools": {about: "Tools that agents can find, in pages", query: []parameter{
		{"server", "", ""}, {"access", "read, write or destructive", ""}, {"q", "in the id, the title or the description", ""},
		{"offset", "tools to leave out", 0}, {"limit", "1 to 1000; 100 by default", 0}}},
	"GET /api/v1/tools/{id}": {about: "One tool, whole; the id is server:tool"},
	"GET /api/v1/tools/search": {about: "What an agent would find, best first; with expect a client.Expectation", out: []client.Hit{}, query: []parameter{
		{"q", "a task in plain words", ""}, {"limit", "top_k by default", 0}, {"server", "search only this one", ""}, {"expect", "an id: answers why it is not found", ""}}},
	"POST /api/v1/tools/call":      {about: "Calls a tool; answers the CallToolResult as it came", in: client.CallRequest{}, out: json.RawMessage(nil)},
	"GET /api/v1/index":            {about: "The search index"},
	"POST /api/v1/index/rebuild":   {about: "Makes the index anew", in: nothing{}, out: client.Progress{}, kind: asLines},
	"GET /api/v1/models":           {about: "The sentence models"},
	"POST /api/v1/models/use":      {about: "Chooses a model"},
	"DELETE /api/v1/models/{name}": {about: "Deletes a model of one's own"},
}

// The routes of a reviewer.
var reviewOperations = map[string]operation{
	"GET /api/v1/quarantine":                 {about: "What waits for a person"},
	"GET /api/v1/quarantine/{name}/page":     {about: "What waits of one server, as it was listed last"},
	"POST /api/v1/quarantine/{name}/inspect": {about: "Lists a server now, for review", in: client.ListRequest{}, out: client.Progress{}, kind: asLines},
	"POST /api/v1/quarantine/{name}/approve": {about: "Approves the page, or one definition, that has this hash", out: json.RawMessage(nil)},
	"POST /api/v1/quarantine/{name}/block":   {about: "Keeps a server or a definition from agents, or ends that"},
	"GET /api/v1/quarantine/{name}/scan":     {about: "What the scanner finds in what waits"},
	"GET /api/v1/quarantine/history": {about: "What happened at the gate, newest first",
		query: []parameter{{"server", "", ""}, {"limit", "100 by default", 0}}},
}

// The routes of the configuration and the secrets in it.
var configOperations = map[string]operation{
	"GET /api/v1/config":                  {about: "The configuration file without its secrets"},
	"PUT /api/v1/config":                  {about: "Replaces the file whose hash is given"},
	"PATCH /api/v1/config":                {about: "Changes settings in place"},
	"POST /api/v1/config/validate":        {about: "Finds every fault of a text"},
	"GET /api/v1/secrets":                 {about: "The names of the secrets"},
	"PUT /api/v1/secrets/{name}":          {about: "Stores a secret"},
	"DELETE /api/v1/secrets/{name}":       {about: "Deletes a secret"},
	"POST /api/v1/secrets/{name}/changed": {about: "Says that another program changed a secret"},
}
