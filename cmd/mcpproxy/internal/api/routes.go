package api

import (
	"net/http"
)

// access says who may use a route over TCP. On the local surface, whose peer is
// the owner, everything is allowed.
type access int

const (
	open      access = iota // anyone whom the guard let in
	agent                   // likewise, unless the key is required for agents too
	person                  // the key, or a browser that logged in
	keyHolder               // the key alone
)

// route is one row of the router; tests enumerate the table.
type route struct {
	method, pattern string
	access          access
	serve           func(*API, http.ResponseWriter, *http.Request)
}

var routes = []route{
	{"GET", "/healthz", open, (*API).health},
	{"GET", "/readyz", open, (*API).ready},
	{"GET", "/metrics", keyHolder, (*API).metrics},

	{"POST", "/mcp", agent, (*API).mcp},
	{"GET", "/mcp", agent, (*API).mcp},
	{"DELETE", "/mcp", agent, (*API).mcp},
	{"POST", "/mcp/{$}", agent, (*API).mcp},
	{"GET", "/mcp/{$}", agent, (*API).mcp},
	{"DELETE", "/mcp/{$}", agent, (*API).mcp},

	{"GET", "/{$}", open, (*API).front},
	{"GET", "/ui/{path...}", open, (*API).ui},

	{"GET", "/api/v1/openapi.json", open, (*API).openAPI},
	{"GET", "/api/v1/session", open, (*API).session},
	{"POST", "/api/v1/session", open, (*API).login},
	{"DELETE", "/api/v1/session", person, (*API).logout},
	{"POST", "/api/v1/session/link", keyHolder, (*API).link},

	{"GET", "/events", person, (*API).events},

	{"GET", "/api/v1/status", person, (*API).status},
	{"POST", "/api/v1/shutdown", person, (*API).shutdown},
	{"GET", "/api/v1/servers", person, (*API).listServers},
	{"POST", "/api/v1/servers", person, (*API).addServer},
	{"GET", "/api/v1/servers/{name}", person, (*API).server},
	{"PATCH", "/api/v1/servers/{name}", person, (*API).updateServer},
	{"DELETE", "/api/v1/servers/{name}", person, (*API).removeServer},
	{"POST", "/api/v1/servers/{name}/restart", person, (*API).restartServer},
	{"POST", "/api/v1/servers/{name}/login", person, (*API).serverLogin},
	{"POST", "/api/v1/servers/{name}/logout", person, (*API).serverLogout},
	{"GET", "/api/v1/logins", person, (*API).serverLogins},
	{"GET", "/api/v1/servers/{name}/logs", person, (*API).serverLogs},
	{"POST", "/api/v1/servers/{name}/tools", person, (*API).listTools},
	{"POST", "/api/v1/servers/{name}/isolation", person, (*API).examineIsolation},

	{"GET", "/api/v1/tools", person, (*API).catalog},
	{"GET", "/api/v1/tools/{id}", person, (*API).tool},
	{"GET", "/api/v1/tools/search", person, (*API).search},
	{"POST", "/api/v1/tools/call", person, (*API).callTool},

	{"GET", "/api/v1/quarantine", person, (*API).waiting},
	{"GET", "/api/v1/quarantine/{name}/page", person, (*API).page},
	{"POST", "/api/v1/quarantine/{name}/inspect", person, (*API).inspect},
	{"POST", "/api/v1/quarantine/{name}/approve", person, (*API).approve},
	{"POST", "/api/v1/quarantine/{name}/block", person, (*API).block},
	{"GET", "/api/v1/quarantine/{name}/scan", person, (*API).scanned},
	{"GET", "/api/v1/quarantine/history", person, (*API).history},

	{"GET", "/api/v1/audit", person, (*API).audit},

	{"GET", "/api/v1/stats", person, (*API).stats},

	{"GET", "/api/v1/config", person, (*API).config},
	{"PUT", "/api/v1/config", person, (*API).writeConfig},
	{"PATCH", "/api/v1/config", person, (*API).patchConfig},
	{"POST", "/api/v1/config/validate", person, (*API).checkConfig},
	{"GET", "/api/v1/secrets", person, (*API).secrets},
	{"PUT", "/api/v1/secrets/{name}", person, (*API).setSecret},
	{"DELETE", "/api/v1/secrets/{name}", person, (*API).deleteSecret},
	{"POST", "/api/v1/secrets/{name}/changed", person, (*API).secretChanged},

	{"GET", "/api/v1/index", person, (*API).index},
	{"POST", "/api/v1/index/rebuild", person, (*API).rebuild},

	{"GET", "/api/v1/models", person, (*API).listModels},
	{"POST", "/api/v1/models/use", person, (*API).useModel},
	{"DELETE", "/api/v1/models/{name}", person, (*API).removeModel},
}
