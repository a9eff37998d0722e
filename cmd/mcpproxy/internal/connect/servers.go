package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mcpproxy/internal/hint"
)

// ErrNoServers is wrapped by [Servers] if a file has no table of servers.
var ErrNoServers = errors.New("no MCP servers in this file")

// Server is one server of a client's file in this program's terms.
type Server struct {
	Name       string
	Transport  string // stdio, http, sse, or empty where the file does not say
	Command    string
	Args       []string
	Env        map[string]string
	URL        string
	Headers    map[string]string
	WorkingDir string
	Disabled   bool

	Skip  string   // why it cannot be taken over; empty: it can
	Notes []string // what a person should know
}

// Servers reads the servers of a client's file in the order of their names: a
// map or an array below mcpServers, servers (VS Code) or mcp.servers, Codex's
// TOML, Goose's YAML. The proxy's own entry is left out. Errors quote nothing of
// the file. It returns an error wrapping [ErrNoServers] or [fs.ErrNotExist], or
// another one of the file system.
func Servers(path string) ([]Server, error) {
	text, existed, err := read(path)
	switch {
	case err != nil:
		return nil, err
	case !existed:
		return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, path)
	}
	whole, err := formatOf(path).decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	entries, err := entriesOf(whole)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var list []Server
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		s := serverOf(name, entries[name])
		if !isOurs(s) {
			list = append(list, s)
		}
	}
	return list, nil
}

func formatOf(path string) format {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".toml":
		return tomlFormat{}
	case ".yaml", ".yml":
		return yamlFormat{}
	}
	return jsonFormat{}
}

// sections are where clients keep their servers.
var sections = [][]string{{"mcpServers"}, {"servers"}, {"mcp", "servers"}, {"mcp_servers"}, {"extensions"}}

func entriesOf(whole map[string]any) (map[string]any, error) {
	for _, keys := range sections {
		var v any = whole
		for _, key := range keys {
			m, _ := v.(map[string]any)
			v = m[key]
		}
		switch v := v.(type) {
		case map[string]any:
			return v, nil
		case []any:
			return named(v), nil
		}
	}
	return nil, fmt.Errorf("%w: looked for mcpServers, servers, mcp.servers, mcp_servers and extensions", ErrNoServers)
}

// named makes a map of an array whose entries carry their names.
func named(list []any) map[string]any {
	entries := map[string]any{}
	for i, v := range list {
		m, _ := v.(map[string]any)
		name, _ := m["name"].(string)
		if name == "" {
			name = fmt.Sprintf("server-%d", i+1)
		}
		for n := 2; entries[name] != nil; n++ {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		entries[name] = v
	}
	return entries
}

func isOurs(s Server) bool {
	base := strings.TrimSuffix(filepath.Base(strings.ReplaceAll(s.Command, `\`, "/")), ".exe")
	return s.Name == EntryName && (s.URL != "" || base == EntryName)
}

// serverOf reads one entry, whatever client wrote it.
func serverOf(name string, v any) Server {
	s := Server{Name: name}
	m, ok := v.(map[string]any)
	if !ok {
		s.Skip = "its entry is not a table"
		return s
	}
	e := entryReader{m}
	s.Command, s.Args = e.text("command", "cmd"), e.list("args")
	s.Env, s.Headers = e.table("env", "envs"), e.table("headers", "http_headers")
	s.URL = e.text("url", "httpUrl", "uri", "serverUrl")
	s.WorkingDir = e.text("working_dir", "cwd")
	s.Disabled = e.flag("disabled") || m["enabled"] == false
	kind := e.text("type", "protocol", "transportType", "transport")
	switch strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(kind)) {
	case "", "stdio", "local", "remote":
	case "http", "streamablehttp":
		s.Transport = "http"
	case "sse":
		s.Transport = "sse"
	default:
		s.Skip = fmt.Sprintf("it is of type %q, which is not an MCP server of its own", kind)
	}
	if e.text("httpUrl") != "" {
		s.Transport = "http"
	}
	e.codex(&s)
	e.goose(&s)
	s.translate()
	switch {
	case s.Skip != "":
	case s.Command == "" && s.URL == "":
		s.Skip = "it has neither a command nor a URL"
	case s.Command != "" && s.URL != "":
		s.Skip = "it has both a command and a URL"
	}
	return s
}

// entryReader reads members by any of their names.
type entryReader struct{ m map[string]any }

func (e entryReader) text(keys ...string) string {
	for _, key := range keys {
		if s, ok := e.m[key].(string); ok {
			return s
		}
	}
	return ""
}

func (e entryReader) flag(key string) bool { on, _ := e.m[key].(bool); return on }

func (e entryReader) list(key string) (out []string) {
	items, _ := e.m[key].([]any)
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

func (e entryReader) table(keys ...string) map[string]string {
	for _, key := range keys {
		m, ok := e.m[key].(map[string]any)
		if !ok || len(m) == 0 {
			continue
		}
		out := make(map[string]string, len(m))
		for name, value := range m {
			if value != nil {
				out[name] = fmt.Sprint(value)
			}
		}
		return out
	}
	return nil
}

// codex reads the members that name environment variables instead of values.
func (e entryReader) codex(s *Server) {
	header := func(name, value string) {
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers[name] = value
	}
	if name := e.text("bearer_token_env_var"); name != "" {
		header("Authorization", "Bearer ${env:"+name+"}")
	}
	for name, variable := range e.table("env_http_headers") {
		header(name, "${env:"+variable+"}")
	}
	for _, name := range e.list("env_vars") {
		s.fromEnvironment(name)
	}
}

// goose keeps the values of env_keys in its own keyring.
func (e entryReader) goose(s *Server) {
	for _, name := range e.list("env_keys") {
		if _, set := s.Env[name]; !set {
			s.setEnv(name, "${keyring:"+strings.ToLower(name)+"}")
			s.Notes = append(s.Notes, fmt.Sprintf("Goose keeps %s in its own keyring; set it here: %s", name, hint.Command("secrets", "set", strings.ToLower(name))))
		}
	}
}

func (s *Server) fromEnvironment(name string) {
	if _, set := s.Env[name]; !set {
		s.setEnv(name, "${env:"+name+"}")
	}
}

func (s *Server) setEnv(name, value string) {
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	s.Env[name] = value
}

// placeholder is one of other clients: ${input:id} of VS Code, ${NAME} and
// ${NAME:-default} of Claude Code and Gemini. ${env:NAME} is ours too.
var foreignPlaceholder = regexp.MustCompile(`\$\{(input:)?([A-Za-z_][A-Za-z0-9_.-]*)(:-[^}]*)?\}`)

// translate turns the placeholders of other clients into ours.
func (s *Server) translate() {
	swap := func(text string) string {
		return foreignPlaceholder.ReplaceAllStringFunc(text, func(found string) string {
			m := foreignPlaceholder.FindStringSubmatch(found)
			if m[1] != "" {
				s.note("VS Code asks for %q; set it here: %s", m[2], hint.Command("secrets", "set", m[2]))
				return "${keyring:" + m[2] + "}"
			}
			if m[3] != "" {
				s.note("${%s} has no default here: set that environment variable", m[2])
			}
			return "${env:" + m[2] + "}"
		})
	}
	for i, arg := range s.Args {
		s.Args[i] = swap(arg)
	}
	for _, table := range []map[string]string{s.Env, s.Headers} {
		for name, value := range table {
			table[name] = swap(value)
		}
	}
	if strings.Contains(s.URL, "${") {
		s.Skip = "its URL holds a placeholder, which is not possible here: put secrets into headers"
	}
}

func (s *Server) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.Notes, text) {
		s.Notes = append(s.Notes, text)
	}
}
