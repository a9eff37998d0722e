package main

import (
	"fmt"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/escape"
)

// State is all that the menu shows.
type State struct {
	Running bool
	Status  client.Status
	Waiting []client.Waiting
	Opened  map[string]string // server -> hash of the page whose review was opened
	AtLogin bool
	Note    string // what the last click came to, if it failed
	Version string
}

// Face is what the icon says.
type Face string

// The faces.
const (
	FaceOff       Face = "off"
	FaceOK        Face = "ok"
	FaceAttention Face = "attention" // something waits for a person
	FaceError     Face = "error"     // something does not work
)

// maxServers is how many a submenu shows; the page shows all.
const maxServers = 40

// Menu is the menu of s. Its top level always has the same lines in the same
// order; only their texts change, and what is below them.
func Menu(s State) []Item {
	note := line(text(s.Note))
	running := s.Running
	start := button("Start", do(Start))
	if running {
		start = button("Stop", do(Stop))
	}
	return []Item{
		line(statusLine(s)), note,
		separator(),
		submenu("Upstream Servers", servers(s)),
		submenu(quarantineTitle(s), quarantine(s)),
		separator(),
		button("Open Web UI", do(OpenUI)).when(running),
		button("Copy IDE URL", do(CopyURL)).when(running && s.Status.Endpoint != "").explained(s.Status.Endpoint),
		button("Open config", do(OpenConfig)).when(running),
		button("Open logs", do(OpenLogs)).when(running && s.Status.LogDir != ""),
		separator(),
		start,
		{Title: "Start at login", Checkbox: true, Checked: s.AtLogin, Do: do(AtLogin)},
		line("mcpproxy " + text(s.Version)),
		button("Quit", do(Quit)).explained("ends the proxy and this icon"),
	}
}

// FaceOf is what the icon says of s.
func FaceOf(s State) Face {
	if !s.Running {
		return FaceOff
	}
	face := FaceOK
	if len(s.Waiting) > 0 {
		face = FaceAttention
	}
	for _, server := range s.Status.Servers {
		if troubled(server) || s.Status.ConfigError != "" {
			return FaceError
		}
	}
	return face
}

func troubled(s client.Server) bool {
	return s.State == "failed" || s.State == "backing-off" || s.State == "needs-login"
}

func statusLine(s State) string {
	if !s.Running {
		return "mcpproxy is not running"
	}
	if s.Status.ConfigError != "" {
		return "The configuration on disk has faults"
	}
	ready, tools := 0, 0
	for _, server := range s.Status.Servers {
		if server.State == "ready" {
			ready++
		}
		tools += server.Tools
	}
	return fmt.Sprintf("%d of %d servers ready, %d tools", ready, len(s.Status.Servers), tools)
}

func servers(s State) []Item {
	if len(s.Status.Servers) == 0 || !s.Running {
		return []Item{line("none")}
	}
	var list []Item
	for i, server := range s.Status.Servers {
		if i == maxServers {
			list = append(list, button(fmt.Sprintf("… and %d more", len(s.Status.Servers)-i), do(OpenUI)))
			break
		}
		list = append(list, submenu(serverTitle(server), serverMenu(server)))
	}
	return list
}

func serverTitle(s client.Server) string {
	title := text(s.Name) + ": " + strings.ReplaceAll(s.State, "-", " ")
	if s.State == "ready" {
		title = fmt.Sprintf("%s: %d tools", text(s.Name), s.Tools)
	}
	if s.AutoApprove != "" {
		title += " (unreviewed changes serve)"
	}
	return title
}

func serverMenu(s client.Server) []Item {
	toggle := button("Disable", doTo(Disable, s.Name))
	if !s.Enabled {
		toggle = button("Enable", doTo(Enable, s.Name))
	}
	why := s.Error
	if why == "" {
		why = strings.ReplaceAll(s.State, "-", " ")
	}
	return []Item{
		line(text(why)),
		toggle,
		button("Restart", doTo(Restart, s.Name)).when(s.Enabled && s.State != "held"),
		button("Log in…", doTo(LogIn, s.Name)).when(s.State == "needs-login"),
		button("Logs", doTo(Logs, s.Name)),
	}
}

func quarantineTitle(s State) string {
	if n := len(s.Waiting); n > 0 {
		return fmt.Sprintf("Security Quarantine (%d)", n)
	}
	return "Security Quarantine"
}

// quarantine lists what waits. Approving is possible only for the very page
// whose review was opened.
func quarantine(s State) []Item {
	if len(s.Waiting) == 0 {
		return []Item{line("nothing waits for you")}
	}
	var list []Item
	for i, w := range s.Waiting {
		if i == maxServers {
			list = append(list, button(fmt.Sprintf("… and %d more", len(s.Waiting)-i), doTo(Review, "")))
			break
		}
		reviewed := w.Hash != "" && s.Opened[w.Server] == w.Hash
		list = append(list, submenu(waitingTitle(w), []Item{
			button("Review…", doTo(Review, w.Server)),
			button("Approve what was reviewed", approve(w.Server, w.Hash)).when(reviewed).
				explained("possible once the review of exactly this was opened"),
		}))
	}
	return list
}

func waitingTitle(w client.Waiting) string {
	switch n := len(w.Tools); {
	case w.State != "approved":
		return text(w.Server) + ": new or changed server"
	case n == 1:
		return text(w.Server) + ": 1 new or changed item"
	default:
		return fmt.Sprintf("%s: %d new or changed items", text(w.Server), n)
	}
}

// maxTitle keeps a menu narrower than a screen, in characters.
const maxTitle = 60

// text is foreign text for one line of a menu.
func text(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s = escape.Line(s)
	if r := []rune(s); len(r) > maxTitle {
		s = string(r[:maxTitle-1]) + "…"
	}
	return s
}
