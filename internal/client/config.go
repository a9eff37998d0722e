package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Config is the answer of GET, PUT and PATCH /api/v1/config.
type Config struct {
	Path string `json:"path"`
	// Text is the file, with **redacted** for each value that may be a secret.
	// Empty if the file is no JSON with comments, which nobody can redact.
	Text     string         `json:"text"`
	Hidden   int            `json:"hidden"`   // values that are redacted
	Hash     string         `json:"hash"`     // of the file's bytes; PUT names it
	InForce  bool           `json:"in_force"` // false: the last good one is
	Faults   []ConfigFault  `json:"faults"`
	Warnings []ConfigFault  `json:"warnings"`
	Settings ConfigSettings `json:"settings"`
	ReadOnly bool           `json:"read_only"` // nothing is changed through any interface
}

// ConfigFault is one thing in the file that cannot be used, or is unwise. Path
// is like mcpServers[2].url; Line counts from 1, and 0 is unknown.
type ConfigFault struct {
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// ConfigSettings are the keys of the top level that PATCH changes, with the
// values that are in force.
type ConfigSettings struct {
	EnableTray        bool   `json:"enable_tray"`
	TopK              int    `json:"top_k"`
	ToolsLimit        int    `json:"tools_limit"`
	ToolResponseLimit int    `json:"tool_response_limit"`
	LogLevel          string `json:"log_level"`
	DisableManagement bool   `json:"disable_management"`
	AllowServerAdd    bool   `json:"allow_server_add"`
	AllowServerRemove bool   `json:"allow_server_remove"`
	RequireMCPAuth    bool   `json:"require_mcp_auth"`
	AuditArguments    bool   `json:"audit_arguments"`
	AuditMaxMB        int    `json:"audit_max_mb"`
	AuditMaxDays      int    `json:"audit_max_days"`
}

// ConfigText is the body of POST /api/v1/config/validate and, with Hash, of
// PUT /api/v1/config. A **redacted** in the text keeps the value that is there.
type ConfigText struct {
	Text string `json:"text"`
	Hash string `json:"hash,omitempty"` // of the file that was edited
}

// ConfigCheck is the answer of POST /api/v1/config/validate.
type ConfigCheck struct {
	OK       bool          `json:"ok"`
	Faults   []ConfigFault `json:"faults"`
	Warnings []ConfigFault `json:"warnings"`
}

// ConfigPatch is the body of PATCH /api/v1/config: keys of [ConfigSettings] with
// their new values; null goes back to the default.
type ConfigPatch struct {
	Set map[string]json.RawMessage `json:"set"`
}

const configPath = "/api/v1/config"

// Config returns the configuration file without its secrets.
func (c *Client) Config(ctx context.Context) (Config, error) {
	return ask[Config](ctx, c, http.MethodGet, configPath, nil)
}

// CheckConfig finds every fault of a text without writing it.
func (c *Client) CheckConfig(ctx context.Context, text string) (ConfigCheck, error) {
	return ask[ConfigCheck](ctx, c, http.MethodPost, configPath+"/validate", ConfigText{Text: text})
}

// WriteConfig replaces the file whose hash is given by text.
func (c *Client) WriteConfig(ctx context.Context, text, hash string) (Config, error) {
	return ask[Config](ctx, c, http.MethodPut, configPath, ConfigText{Text: text, Hash: hash})
}

// PatchConfig changes keys of the top level and leaves the rest of the file byte
// for byte.
func (c *Client) PatchConfig(ctx context.Context, p ConfigPatch) (Config, error) {
	return ask[Config](ctx, c, http.MethodPatch, configPath, p)
}
