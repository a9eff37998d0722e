package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// FileName is the configuration's name in the data directory.
const FileName = "mcp_config.json"

// DefaultDataDir is ~/.mcpproxy, or .mcpproxy in the current directory where
// nobody has a home.
func DefaultDataDir() string { return filepath.Join(home(), ".mcpproxy") }

// DefaultPath is ~/.mcpproxy/mcp_config.json.
func DefaultPath() string { return filepath.Join(DefaultDataDir(), FileName) }

// LogDir is where this operating system keeps the logs of a user's programs.
func LogDir() string { return logDir(runtime.GOOS, home(), os.Getenv) }

func logDir(goos, home string, env func(string) string) string {
	switch goos {
	case "darwin":
		return filepath.Join(home, "Library", "Logs", "mcpproxy")
	case "windows":
		base := env("LOCALAPPDATA")
		if base == "" {
			base = filepath.Join(home, "AppData", "Local")
		}
		return filepath.Join(base, "mcpproxy", "logs")
	}
	base := env("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // the XDG specification: a relative path is to be ignored
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "mcpproxy", "logs")
}

// ExpandHome replaces a leading ~ by the user's home. "~name" is left as it is.
func ExpandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && rest[0] != '/' && !os.IsPathSeparator(rest[0]) {
		return path
	}
	return filepath.Join(home(), rest)
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "."
	}
	return dir
}
