package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Config is a whole configuration with every default filled in.
type Config struct {
	Listen            string // host:port; an empty host means both loopback addresses
	DataDir           string // tilde expanded
	EnableTray        bool
	TopK              int    // results of retrieve_tools
	ToolsLimit        int    // the most a client may ask for
	ToolResponseLimit int    // characters; 0 means no limit
	Model             string // sentence model of the search; "" means the bundled one
	DockerIsolation   DockerIsolation

	ReadOnly          bool // no change of the configuration by tools or API
	DisableManagement bool // no upstream_servers tool
	AllowServerAdd    bool
	AllowServerRemove bool
	RequireMCPAuth    bool     // an API key on /mcp too
	TrustedHosts      []string // further values of the Host header
	QuarantineEnabled bool
	AuditArguments    bool // keep the arguments of calls in the record
	AuditMaxMB        int  // of all files of the record
	AuditMaxDays      int
	LogLevel          string // trace, debug, info, warn or error
	SecretsBackend    string // keyring or file

	Servers []Server // in the order of the file
}

// Transports of a [Server].
const (
	Stdio = "stdio"
	HTTP  = "http" // streamable HTTP
	SSE   = "sse"
)

// Server is one configured upstream. Args, Env and Headers hold placeholders as
// written.
type Server struct {
	Name        string
	Transport   string // Stdio, HTTP or SSE
	SSEFallback bool   // the file names no transport: HTTP first, then SSE

	Command    string
	Args       []string
	Env        map[string]string
	WorkingDir string // host path, tilde expanded; empty means the proxy's own

	URL     string
	Headers map[string]string

	Enabled     bool
	Quarantined *bool         // nil: not said
	AutoApprove string        // none, unchanged-server-new-tools or annotations
	Timeout     time.Duration // of one call; 0 means the default

	Isolation *Isolation // nil: not said
	OAuth     *OAuth     // nil: not said
}

// Isolation overrides [DockerIsolation] for one server. Empty fields inherit.
type Isolation struct {
	Enabled     *bool
	Image       string
	NetworkMode string
	WorkingDir  string // a path in the container
	ExtraArgs   []string
	MemoryLimit string
	CPULimit    string
	Mounts      []string
}

// OAuth overrides what a server's own metadata say. Empty fields are discovered.
type OAuth struct {
	Scopes       []string
	PKCE         bool // true unless the file says otherwise
	ClientID     string
	ClientSecret string // may be a placeholder
}

// DockerIsolation is how stdio servers run in containers.
type DockerIsolation struct {
	Enabled       bool
	MemoryLimit   string
	CPULimit      string
	Timeout       time.Duration
	NetworkMode   string
	DefaultImages map[string]string // runtime -> image; the file's entries win over the built-in ones
	ExtraArgs     []string
}

// maxFile is far above any real configuration; it bounds what a mistaken path
// can make the parser hold.
const maxFile = 4 << 20

// defaults returns what an empty file means.
func defaults() Config {
	return Config{
		Listen: ":8080", DataDir: DefaultDataDir(), EnableTray: true,
		TopK: 5, ToolsLimit: 15, ToolResponseLimit: 20000,
		AllowServerAdd: true, AllowServerRemove: true, QuarantineEnabled: true,
		AuditMaxMB: 100, AuditMaxDays: 90,
		LogLevel: "info", SecretsBackend: "keyring",
		DockerIsolation: DockerIsolation{
			MemoryLimit: "512m", CPULimit: "1.0", Timeout: time.Minute, NetworkMode: "bridge",
			DefaultImages: map[string]string{
				"python": "python:3.11", "python3": "python:3.11", "uvx": "python:3.11", "pip": "python:3.11",
				"node": "node:20", "npx": "node:20", "go": "golang:1.21-alpine",
				"cargo": "rust:1.75-slim", "rustc": "rust:1.75-slim",
			},
		},
	}
}

// Load reads the file at path. A missing file returns an error wrapping
// [fs.ErrNotExist], a faulty one [Faults].
func Load(path string) (*Config, []Warning, error) {
	data, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	return Parse(data)
}

// read returns the text of path, refusing what cannot be a configuration.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("configuration: %s is not a file", path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("configuration: %s is larger than %d MiB", path, maxFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return data, nil
}

// Create writes [Template] to path (0600, folder 0700). An existing file is left
// alone and returns an error wrapping [fs.ErrExist].
func Create(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("configuration: %w", &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("configuration: %w", err)
	}
	return writeFile(path, Template())
}
