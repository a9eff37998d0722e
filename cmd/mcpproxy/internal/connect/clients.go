package connect

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"mcpproxy/internal/config/jsonc"
)

// Places is where this person's programs keep their files.
type Places struct {
	GOOS, Home string
	Config     string // XDG_CONFIG_HOME; empty: ~/.config
	AppData    string // of Windows
	Codex      string // CODEX_HOME; empty: ~/.codex
}

// Here returns the places of the person who runs the program.
func Here() (Places, error) {
	home, err := os.UserHomeDir()
	return Places{
		GOOS: runtime.GOOS, Home: home, Config: os.Getenv("XDG_CONFIG_HOME"),
		AppData: os.Getenv("APPDATA"), Codex: os.Getenv("CODEX_HOME"),
	}, err
}

// config is the folder of a program's configuration in the system's own way.
func (p Places) config(elements ...string) string {
	base := p.Config
	switch {
	case p.GOOS == "darwin":
		base = filepath.Join(p.Home, "Library", "Application Support")
	case p.GOOS == "windows" && p.AppData != "":
		base = p.AppData
	case p.GOOS == "windows":
		base = filepath.Join(p.Home, "AppData", "Roaming")
	case !filepath.IsAbs(base):
		base = filepath.Join(p.Home, ".config")
	}
	return filepath.Join(append([]string{base}, elements...)...)
}

func (p Places) home(elements ...string) string {
	return filepath.Join(append([]string{p.Home}, elements...)...)
}

// Client is one MCP client whose configuration this package knows.
type Client struct {
	Name, Title string // "vscode", "VS Code"
	Next        string // what a person does for the edit to count

	path    func(Places) string
	section string // the table of servers in its file
	format  format
	entry   func(Entry) []jsonc.Field
}

// Path is where the client keeps its servers.
func (c Client) Path(p Places) string { return c.path(p) }

// Installed reports whether the client has been used here: the folder of its
// file, or the file, is there.
func (c Client) Installed(p Places) bool {
	path := c.Path(p)
	if filepath.Dir(path) != p.Home {
		path = filepath.Dir(path)
	}
	_, err := os.Stat(path)
	return err == nil
}

// Clients returns the known clients in the order in which they are shown.
func Clients() []Client {
	return []Client{
		{
			Name: "cursor", Title: "Cursor", Next: "Cursor picks the change up by itself; see Settings, Tools & Integrations",
			path:    func(p Places) string { return p.home(".cursor", "mcp.json") },
			section: "mcpServers", format: jsonFormat{}, entry: typedURL("http"),
		},
		{
			Name: "vscode", Title: "VS Code", Next: `start it in VS Code: Command Palette, "MCP: List Servers"`,
			path:    func(p Places) string { return p.config("Code", "User", "mcp.json") },
			section: "servers", format: jsonFormat{}, entry: typedURL("http"),
		},
		{
			Name: "claude-desktop", Title: "Claude Desktop", Next: "quit Claude Desktop and open it again",
			path:    func(p Places) string { return p.config("Claude", "claude_desktop_config.json") },
			section: "mcpServers", format: jsonFormat{}, entry: command,
		},
		{
			Name: "goose", Title: "Goose", Next: "start a new Goose session",
			path: func(p Places) string {
				if p.GOOS == "windows" {
					return p.config("Block", "goose", "config", "config.yaml")
				}
				return Places{GOOS: "linux", Home: p.Home, Config: p.Config}.config("goose", "config.yaml")
			},
			section: "extensions", format: yamlFormat{}, entry: gooseExtension,
		},
		{
			Name: "claude-code", Title: "Claude Code", Next: "start a new Claude Code session; /mcp lists it",
			path:    func(p Places) string { return p.home(".claude.json") },
			section: "mcpServers", format: jsonFormat{}, entry: typedURL("http"),
		},
		{
			Name: "codex", Title: "Codex CLI", Next: "start a new Codex session; /mcp lists it",
			path: func(p Places) string {
				if p.Codex != "" {
					return filepath.Join(p.Codex, "config.toml")
				}
				return p.home(".codex", "config.toml")
			},
			section: "mcp_servers", format: tomlFormat{}, entry: codexServer,
		},
		{
			Name: "gemini", Title: "Gemini CLI", Next: "start a new Gemini session; /mcp lists it",
			path:    func(p Places) string { return p.home(".gemini", "settings.json") },
			section: "mcpServers", format: jsonFormat{}, entry: geminiServer,
		},
	}
}

// Find returns the client of that name. The error wraps [ErrUnknown].
func Find(name string) (Client, error) {
	var names []string
	for _, c := range Clients() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Client{}, fmt.Errorf("%w %q: known are %s", ErrUnknown, name, strings.Join(names, ", "))
}

func typedURL(kind string) func(Entry) []jsonc.Field {
	return func(e Entry) []jsonc.Field {
		return withHeaders([]jsonc.Field{{Key: "type", Value: kind}, {Key: "url", Value: e.URL}}, "headers", e)
	}
}

// command is for clients that only start programs: `mcpproxy stdio` is the
// bridge to the running proxy.
func command(e Entry) []jsonc.Field {
	return []jsonc.Field{{Key: "command", Value: e.Command}, {Key: "args", Value: e.Args}}
}

func gooseExtension(e Entry) []jsonc.Field {
	return withHeaders([]jsonc.Field{
		{Key: "enabled", Value: true}, {Key: "type", Value: "streamable_http"}, {Key: "name", Value: EntryName},
		{Key: "description", Value: "All your MCP servers behind one search"},
		{Key: "uri", Value: e.URL}, {Key: "timeout", Value: 300},
	}, "headers", e)
}

func codexServer(e Entry) []jsonc.Field {
	return withHeaders([]jsonc.Field{{Key: "url", Value: e.URL}}, "http_headers", e)
}

func geminiServer(e Entry) []jsonc.Field {
	return withHeaders([]jsonc.Field{{Key: "httpUrl", Value: e.URL}}, "headers", e)
}

func withHeaders(fields []jsonc.Field, key string, e Entry) []jsonc.Field {
	if len(e.Headers) > 0 {
		fields = append(fields, jsonc.Field{Key: key, Value: e.Headers})
	}
	return fields
}
