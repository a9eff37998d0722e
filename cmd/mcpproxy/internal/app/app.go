// Package app is the composition root: it builds every other package from the
// configuration, keeps them in step with it, and answers what the MCP surface
// and the REST routes ask for.
package app

import (
	"io"

	"mcpproxy/internal/client"
	"mcpproxy/internal/secret"
	"mcpproxy/upstream"
)

// Options is what the command line says. A nil pointer or empty string leaves
// the matter to the configuration file.
type Options struct {
	ConfigPath string // empty: <data dir>/mcp_config.json
	DataDir    string // empty: the file's data_dir, else ~/.mcpproxy
	Listen     string
	LogLevel   string // trace, debug, info, warn or error
	Version    string
	Executable string // of mcpproxy itself, for the example servers

	Tray              *bool
	ReadOnly          *bool
	DisableManagement *bool
	AllowServerAdd    *bool
	AllowServerRemove *bool

	// Passphrase asks for that of the encrypted file of secrets; nil where nobody
	// can be asked.
	Passphrase secret.Passphrase
	Stderr     io.Writer // log lines for people; nil discards them

	timing upstream.Timing // of listings and tries; tests shorten it
}

// Ready says where a serving instance can be reached.
type Ready struct {
	Endpoint      string // URL for an IDE
	Page          string // one-time link to the web page, good for five minutes
	Socket        string // of the local REST API
	DataDir       string
	ConfigPath    string
	ConfigMissing bool
	Servers       int
	Waiting       int             // servers that wait for approval
	AutoApproving []client.Server // those that the configuration lets pass without a person
	Loss          *client.Loss    // of approvals; nil: none
}
