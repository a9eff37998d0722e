package config

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"mcpproxy/internal/config/jsonc"
)

// maxTimeout is the longest that one call may take.
const maxTimeout = 10 * time.Minute

// transports are the values of type, protocol and transportType.
var transports = map[string]string{
	"stdio": Stdio, "http": HTTP, "streamable-http": HTTP, "streamableHttp": HTTP, "sse": SSE,
}

// transportWords are the keys of transports for people.
var transportWords = []string{"stdio", "http", "streamable-http", "streamableHttp", "sse"}

// servers reads mcpServers as an array or as a map.
func (d *decoder) servers(dst *[]Server, at string, v hujson.Value) {
	lines := map[string]int{} // name -> line
	add := func(at string, v hujson.Value, key *string) {
		s, ok := d.server(at, v, key)
		if !ok {
			return
		}
		if line, seen := lines[s.Name]; seen && s.Name != "" {
			d.fault(child(at, "name"), v, "%q is already the name of the server on line %d", s.Name, line)
		}
		lines[s.Name] = jsonc.LineOf(d.text, v.StartOffset)
		*dst = append(*dst, s)
	}
	switch servers := v.Value.(type) {
	case *hujson.Array:
		for i, e := range servers.Elements {
			add(element(at, i), e, nil)
		}
	case *hujson.Object:
		d.members(at, v, func(key string, _, value hujson.Value) { add(child(at, key), value, &key) })
	default:
		d.fault(at, v, "must be a list [ ... ] or an object { ... } of servers, not %s", kindName(v))
	}
}

// server reads one entry. key is its name in the map form, nil in the array
// form. It reports false if the entry is no object.
func (d *decoder) server(at string, v hujson.Value, key *string) (Server, bool) {
	s := Server{Enabled: true, AutoApprove: "none"}
	if v.Value.Kind() != '{' {
		d.fault(at, v, "must be an object { ... }, not %s", kindName(v))
		return s, false
	}
	faults := len(d.faults)
	var t transport
	var enabled, disabled *bool
	var inner string
	keys := map[string]setter{
		"name":    d.str(&inner, nil),
		"command": d.str(&s.Command, checkStatic), "args": d.list(&s.Args, noNUL),
		"env":         d.table(&s.Env, checkEnv),
		"working_dir": d.path(&s.WorkingDir), "cwd": d.path(&s.WorkingDir),
		"url": d.str(&s.URL, checkURL), "headers": d.table(&s.Headers, checkHeader),
		"enabled": d.optionalFlag(&enabled), "disabled": d.optionalFlag(&disabled),
		"quarantined":  d.optionalFlag(&s.Quarantined),
		"auto_approve": d.str(&s.AutoApprove, oneOf("none", "unchanged-server-new-tools", "annotations")),
		"timeout":      d.duration(&s.Timeout, maxTimeout),
		"isolation":    func(at string, v hujson.Value) { d.isolation(&s, at, v) },
		"oauth":        func(at string, v hujson.Value) { d.oauth(&s, at, v) },
		"type":         d.transport(&t), "protocol": d.transport(&t), "transportType": d.transport(&t),
	}
	d.object(at, v, keys)
	d.serverName(&s, at, v, key, inner)
	if enabled != nil && disabled != nil && *enabled == *disabled {
		d.fault(child(at, "disabled"), v, "contradicts enabled")
	}
	switch {
	case enabled != nil:
		s.Enabled = *enabled
	case disabled != nil:
		s.Enabled = !*disabled
	}
	if v.Find("/working_dir") != nil && v.Find("/cwd") != nil {
		d.fault(child(at, "cwd"), *v.Find("/cwd"), "means the same as working_dir; keep one of them")
	}
	if len(d.faults) == faults { // a fault in url should not be followed by "needs a url"
		d.launch(&s, t, at, v)
	}
	if u, err := url.Parse(s.URL); err == nil && u.User != nil {
		d.warn(child(at, "url"), v, "holds a user name or password that listings show; move it to headers as ${keyring:name}")
	}
	return s, true
}

// serverName sets the name from the map key or the name member.
func (d *decoder) serverName(s *Server, at string, v hujson.Value, key *string, inner string) {
	member := v.Find("/name")
	if member != nil && member.Value.Kind() == 'n' {
		member = nil
	}
	switch {
	case key == nil && member == nil:
		d.fault(child(at, "name"), v, "is missing")
		return
	case key == nil:
		s.Name = inner
	default:
		s.Name = *key
		if member != nil && inner != *key {
			d.fault(child(at, "name"), *member, "differs from the key that names the server")
		}
	}
	if member != nil && member.Value.Kind() != '"' {
		return // reported already
	}
	if message := CheckName(s.Name); message != "" {
		path := at
		if key == nil {
			path = child(at, "name")
		}
		d.fault(path, v, "%s", message)
	}
}

// CheckName returns what is wrong with a server's name, or "". A name is part of
// "server:tool" and "server__tool", of file names and of terminal output.
func CheckName(name string) string {
	switch {
	case name == "":
		return "the server's name must not be empty"
	case utf8.RuneCountInString(name) > 64:
		return "the server's name must have at most 64 characters"
	case strings.Contains(name, ":"):
		return `the server's name must not hold ":", which separates it from its tools' names`
	case strings.Contains(name, "__"):
		return `the server's name must not hold "__", which separates it from its tools' names`
	case strings.TrimSpace(name) != name:
		return "the server's name must not begin or end with a space"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }):
		return "the server's name must not hold control or invisible characters"
	}
	return ""
}

// transport is what the file says of it under its three names.
type transport struct{ value, key string }

func (d *decoder) transport(dst *transport) setter {
	return func(at string, v hujson.Value) {
		var word string
		n := len(d.faults)
		d.str(&word, oneOf(transportWords...))(at, v)
		if len(d.faults) > n {
			return
		}
		key := at[strings.LastIndexByte(at, '.')+1:]
		if dst.value != "" && dst.value != transports[word] {
			d.fault(at, v, "contradicts %s", dst.key)
			return
		}
		*dst = transport{transports[word], key}
	}
}

// launch settles the transport and checks that the server can be reached by it.
func (d *decoder) launch(s *Server, t transport, at string, v hujson.Value) {
	s.Transport = t.value
	switch {
	case s.Command == "" && s.URL == "":
		d.fault(at, v, "needs a command (a program to start) or a url (a server to connect to)")
	case s.Command != "" && s.URL != "":
		d.fault(at, v, "has both command and url; keep one of them")
	case t.value == "" && s.Command != "":
		s.Transport = Stdio
	case t.value == "":
		s.Transport, s.SSEFallback = HTTP, true
	case t.value == Stdio && s.Command == "":
		d.fault(child(at, t.key), v, "is stdio, which needs a command, not a url")
	case t.value != Stdio && s.URL == "":
		d.fault(child(at, t.key), v, "needs a url, not a command")
	}
}

func (d *decoder) isolation(s *Server, at string, v hujson.Value) {
	var c Isolation
	d.object(at, v, map[string]setter{
		"enabled":      d.optionalFlag(&c.Enabled),
		"image":        d.str(&c.Image, checkWord),
		"network_mode": d.str(&c.NetworkMode, checkWord),
		"working_dir":  d.str(&c.WorkingDir, checkContainerPath),
		"extra_args":   d.list(&c.ExtraArgs, plain),
		"memory_limit": d.str(&c.MemoryLimit, checkMemory),
		"cpu_limit":    d.numeric(&c.CPULimit, checkCPU),
		"mounts":       d.list(&c.Mounts, plain),
	})
	s.Isolation = &c
}

func (d *decoder) oauth(s *Server, at string, v hujson.Value) {
	c := OAuth{PKCE: true}
	d.object(at, v, map[string]setter{
		"scopes":        d.list(&c.Scopes, plain),
		"pkce_enabled":  d.flag(&c.PKCE),
		"client_id":     d.str(&c.ClientID, plain),
		"client_secret": d.str(&c.ClientSecret, plain),
	})
	if !c.PKCE {
		d.warn(child(at, "pkce_enabled"), v, "logins to this server are weaker without PKCE; switch it off only if the server cannot do it")
	}
	s.OAuth = &c
}

func checkContainerPath(s string) string {
	if !strings.HasPrefix(s, "/") {
		return "must be an absolute path in the container"
	}
	return plain(s)
}

// checkStatic is for values in which placeholders are not expanded.
func checkStatic(s string) string {
	if isPlaceholder(s) {
		return "placeholders are expanded in env, args and headers only"
	}
	return plain(s)
}

func checkURL(s string) string {
	if message := checkStatic(s); message != "" || s == "" {
		return message
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "is not a URL" // the parser's message quotes it
	case u.Scheme != "http" && u.Scheme != "https":
		return "must start with http:// or https://"
	case u.Hostname() == "":
		return "has no host"
	}
	return ""
}

func checkEnv(key, value string) string {
	if key == "" || strings.ContainsAny(key, "=\x00") {
		return "is not the name of an environment variable"
	}
	return noNUL(value)
}

func checkHeader(key, value string) string {
	const marks = "!#$%&'*+-.^_`|~" // of a token: RFC 9110, section 5.6.2
	if key == "" || strings.ContainsFunc(key, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(marks, r)
	}) {
		return "is not the name of an HTTP header"
	}
	return plain(value)
}
