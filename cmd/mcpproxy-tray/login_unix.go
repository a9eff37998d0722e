//go:build unix

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// loginFile is where the desktop looks for what to start at login: the XDG
// autostart folder, or macOS's launch agents.
func loginFile() (string, error) {
	if runtime.GOOS == "darwin" {
		home, err := os.UserHomeDir()
		return filepath.Join(home, "Library", "LaunchAgents", "mcpproxy.tray.plist"), err
	}
	dir, err := os.UserConfigDir() // XDG_CONFIG_HOME, or ~/.config
	return filepath.Join(dir, "autostart", "mcpproxy.desktop"), err
}

func atLogin() bool {
	path, err := loginFile()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

func setAtLogin(on bool, command []string) error {
	path, err := loginFile()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text := desktopEntry(command)
	if runtime.GOOS == "darwin" {
		text = launchAgent(command)
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// desktopEntry starts the tray, which offers to start the proxy (Desktop Entry
// Specification 1.5; Exec quoting is its section 7).
func desktopEntry(command []string) string {
	quoted := make([]string, len(command))
	for i, word := range command {
		word = strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", `$`, `\\$`, `%`, `%%`).Replace(word)
		quoted[i] = `"` + word + `"`
	}
	return fmt.Sprintf("[Desktop Entry]\nType=Application\nName=mcpproxy\nComment=All your MCP servers behind one search\nExec=%s\nTerminal=false\n", strings.Join(quoted, " "))
}

// launchAgent is a property list of launchd.
func launchAgent(command []string) string {
	var words bytes.Buffer
	for _, word := range command {
		words.WriteString("<string>")
		_ = xml.EscapeText(&words, []byte(word)) // into memory
		words.WriteString("</string>")
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>Label</key><string>mcpproxy.tray</string><key>RunAtLoad</key><true/><key>ProgramArguments</key><array>` +
		words.String() + "</array></dict></plist>\n"
}
