package api

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
	endpoint
}

var routes = []route{
	{"GET", "/healthz", open, raw((*API).health)},
	{"GET", "/readyz", open, raw((*API).ready)},
	{"GET", "/metrics", keyHolder, raw((*API).metrics)},

	{"POST", "/mcp", agent, raw((*API).mcp)},
	{"GET", "/mcp", agent, raw((*API).mcp)},
	{"DELETE", "/mcp", agent, raw((*API).mcp)},
	{"POST", "/mcp/{$}", agent, raw((*API).mcp)},
	{"GET", "/mcp/{$}", agent, raw((*API).mcp)},
	{"DELETE", "/mcp/{$}", agent, raw((*API).mcp)},

	{"GET", "/{$}", open, raw((*API).front)},
	{"GET", "/ui/{path...}", open, raw((*API).ui)},

	{"GET", "/api/v1/openapi.json", open, raw((*API).openAPI)},
	{"GET", "/api/v1/session", open, raw((*API).session)},
	{"POST", "/api/v1/session", open, raw((*API).login)},
	{"DELETE", "/api/v1/session", person, raw((*API).logout)},
	{"POST", "/api/v1/session/link", keyHolder, answers((*API).link)},

	{"GET", "/events", person, raw((*API).events)},

	{"GET", "/api/v1/status", person, answers((*API).status)},
	{"POST", "/api/v1/shutdown", person, takes((*API).shutdown)},
	{"GET", "/api/v1/servers", person, answers((*API).listServers)},
	{"POST", "/api/v1/servers", person, takes((*API).addServer)},
	{"GET", "/api/v1/servers/{name}", person, answers((*API).server)},
	{"PATCH", "/api/v1/servers/{name}", person, takes((*API).updateServer)},
	{"DELETE", "/api/v1/servers/{name}", person, answers((*API).removeServer)},
	{"POST", "/api/v1/servers/{name}/restart", person, answers((*API).restartServer)},
	{"POST", "/api/v1/servers/{name}/login", person, raw((*API).serverLogin)},
	{"POST", "/api/v1/servers/{name}/logout", person, takes((*API).serverLogout)},
	{"GET", "/api/v1/logins", person, answers((*API).serverLogins)},
	{"GET", "/api/v1/servers/{name}/logs", person, raw((*API).serverLogs)},
	{"POST", "/api/v1/servers/{name}/tools", person, raw((*API).listTools)},
	{"POST", "/api/v1/servers/{name}/isolation", person, takes((*API).examineIsolation)},

	{"GET", "/api/v1/tools", person, answers((*API).catalog)},
	{"GET", "/api/v1/tools/{id}", person, answers((*API).tool)},
	{"GET", "/api/v1/tools/search", person, answers((*API).search)},
	{"POST", "/api/v1/tools/call", person, raw((*API).callTool)},

	{"GET", "/api/v1/quarantine", person, answers((*API).waiting)},
	{"GET", "/api/v1/quarantine/{name}/page", person, answers((*API).page)},
	{"POST", "/api/v1/quarantine/{name}/inspect", person, raw((*API).inspect)},
	{"POST", "/api/v1/quarantine/{name}/approve", person, takes((*API).approve)},
	{"POST", "/api/v1/quarantine/{name}/block", person, takes((*API).block)},
	{"GET", "/api/v1/quarantine/{name}/scan", person, answers((*API).scanned)},
	{"GET", "/api/v1/quarantine/history", person, answers((*API).history)},

	{"GET", "/api/v1/audit", person, answers((*API).audit)},

	{"GET", "/api/v1/stats", person, answers((*API).stats)},

	{"GET", "/api/v1/config", person, answers((*API).config)},
	{"PUT", "/api/v1/config", person, takes((*API).writeConfig)},
	{"PATCH", "/api/v1/config", person, takes((*API).patchConfig)},
	{"POST", "/api/v1/config/validate", person, takes((*API).checkConfig)},
	{"GET", "/api/v1/secrets", person, answers((*API).secrets)},
	{"PUT", "/api/v1/secrets/{name}", person, takes((*API).setSecret)},
	{"DELETE", "/api/v1/secrets/{name}", person, answers((*API).deleteSecret)},
	{"POST", "/api/v1/secrets/{name}/changed", person, takes((*API).secretChanged)},

	{"GET", "/api/v1/index", person, answers((*API).index)},
	{"POST", "/api/v1/index/rebuild", person, raw((*API).rebuild)},

	{"GET", "/api/v1/models", person, answers((*API).listModels)},
	{"POST", "/api/v1/models/use", person, takes((*API).useModel)},
	{"DELETE", "/api/v1/models/{name}", person, answers((*API).removeModel)},
}
