package config

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/config/jsonc"
)

// levels are the values of log_level.
var levels = []string{"trace", "debug", "info", "warn", "error"}

// Parse reads the text of a configuration file. Any bytes are safe to pass. The
// error is [Faults]; warnings are returned with and without it. An empty text is
// all defaults.
func Parse(data []byte) (*Config, []Warning, error) {
	if len(data) > maxFile {
		return nil, nil, Faults{{Message: "the file is too large"}}
	}
	doc, err := jsonc.Parse(data)
	if err != nil {
		return nil, nil, syntaxFaults(err)
	}
	d := &decoder{text: doc.Text}
	c := defaults()
	if doc.Root.Value != nil {
		d.top(&c, doc.Root)
	}
	if len(d.faults) > 0 {
		return nil, d.warnings, d.faults
	}
	return &c, d.warnings, nil
}

func (d *decoder) top(c *Config, root hujson.Value) {
	d.object("", root, map[string]setter{
		"$schema":             func(string, hujson.Value) {}, // editors look for it
		"listen":              d.str(&c.Listen, checkListen),
		"data_dir":            d.path(&c.DataDir),
		"enable_tray":         d.flag(&c.EnableTray),
		"top_k":               d.count(&c.TopK, 1),
		"tools_limit":         d.count(&c.ToolsLimit, 1),
		"tool_response_limit": d.count(&c.ToolResponseLimit, 0),
		"model":               d.str(&c.Model, checkModel),
		"docker_isolation":    func(at string, v hujson.Value) { d.docker(&c.DockerIsolation, at, v) },
		"read_only":           d.flag(&c.ReadOnly),
		"disable_management":  d.flag(&c.DisableManagement),
		"allow_server_add":    d.flag(&c.AllowServerAdd),
		"allow_server_remove": d.flag(&c.AllowServerRemove),
		"require_mcp_auth":    d.flag(&c.RequireMCPAuth),
		"trusted_hosts":       d.list(&c.TrustedHosts, checkHost),
		"quarantine_enabled":  d.flag(&c.QuarantineEnabled),
		"audit_arguments":     d.flag(&c.AuditArguments),
		"audit_max_mb":        d.count(&c.AuditMaxMB, 1),
		"audit_max_days":      d.count(&c.AuditMaxDays, 1),
		"log_level":           d.str(&c.LogLevel, oneOf(levels...)),
		"secrets_backend":     d.str(&c.SecretsBackend, oneOf("keyring", "file")),
		"mcpServers":          func(at string, v hujson.Value) { d.servers(&c.Servers, at, v) },
	})
	if c.TopK > c.ToolsLimit {
		at, limit := root.Find("/top_k"), root.Find("/tools_limit")
		switch {
		case at != nil:
			d.fault("top_k", *at, "is %d, above tools_limit, which is %d", c.TopK, c.ToolsLimit)
		case limit != nil: // the default of top_k gives way to a small limit
			c.TopK = c.ToolsLimit
		}
	}
}

func (d *decoder) docker(c *DockerIsolation, at string, v hujson.Value) {
	images := maps.Clone(c.DefaultImages)
	d.object(at, v, map[string]setter{
		"enabled":        d.flag(&c.Enabled),
		"memory_limit":   d.str(&c.MemoryLimit, checkMemory),
		"cpu_limit":      d.numeric(&c.CPULimit, checkCPU),
		"timeout":        d.duration(&c.Timeout, time.Hour),
		"network_mode":   d.str(&c.NetworkMode, checkWord),
		"default_images": d.table(&images, func(_, image string) string { return checkWord(image) }),
		"extra_args":     d.list(&c.ExtraArgs, plain),
	})
	c.DefaultImages = images
}

// path accepts a host path and expands its tilde. "" counts as not given.
func (d *decoder) path(dst *string) setter {
	return func(at string, v hujson.Value) {
		var s string
		if d.str(&s, plain)(at, v); s != "" {
			*dst = ExpandHome(s)
		}
	}
}

var memory = regexp.MustCompile(`^[1-9][0-9]{0,14}[bkmgBKMG]?$`)

func checkMemory(s string) string {
	if !memory.MatchString(s) {
		return `must be a size such as "512m" or "2g"`
	}
	return ""
}

func checkCPU(s string) string {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0 && n <= 4096) {
		return `must be a number of processors such as "1.5"`
	}
	return ""
}

// checkWord is for images and network modes: they become one argument of docker
// and must not look like an option.
func checkWord(s string) string {
	if s == "" || strings.HasPrefix(s, "-") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "must be a word without spaces that does not start with -"
	}
	return ""
}

func checkModel(s string) string {
	if len(s) > 64 || strings.HasPrefix(s, ".") || strings.ContainsAny(s, "/\\:") || plain(s) != "" {
		return `must be a name that "mcpproxy models list" shows`
	}
	return ""
}

func checkHost(s string) string {
	if s == "" || strings.ContainsAny(s, "/\\@?#* \t") || plain(s) != "" {
		return `must be a host name, with a port if one is needed, such as "box.lan:8080"`
	}
	return ""
}

// isPlaceholder reports whether s asks for expansion.
func isPlaceholder(s string) bool {
	return strings.Contains(s, "${keyring:") || strings.Contains(s, "${env:")
}
