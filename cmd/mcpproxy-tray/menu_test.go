package main

import (
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

// outline writes a menu one line an item: indented, [-] disabled, [x] checked,
// > with what a click asks for.
func outline(items []Item, indent string) string {
	var b strings.Builder
	for _, i := range items {
		switch {
		case i.Separator:
			b.WriteString(indent + "----\n")
			continue
		case i.Disabled:
			b.WriteString(indent + "[-] " + i.Title)
		case i.Checkbox && i.Checked:
			b.WriteString(indent + "[x] " + i.Title)
		case i.Checkbox:
			b.WriteString(indent + "[ ] " + i.Title)
		default:
			b.WriteString(indent + i.Title)
		}
		if i.Do != (Action{}) && !i.Disabled {
			b.WriteString(" > " + strings.TrimSpace(string(i.Do.Verb)+" "+i.Do.Server+" "+i.Do.Hash))
		}
		b.WriteString("\n" + outline(i.Children, indent+"  "))
	}
	return b.String()
}

var running = State{
	Running: true, Version: "1.2",
	Status: client.Status{
		Running: true, Endpoint: "http://localhost:8080/mcp/", ConfigPath: "/c", LogDir: "/l",
		Servers: []client.Server{
			{Name: "github", State: "ready", Enabled: true, Tools: 40},
			{Name: "docs", State: "needs-login", Enabled: true, Error: "login needed"},
			{Name: "old", State: "disabled"},
			{Name: "evil\u202e\nname", State: "held", Enabled: true, AutoApprove: "all"},
		},
	},
	Waiting: []client.Waiting{
		{Server: "evil", State: "pending", Hash: "aa"},
		{Server: "github", State: "approved", Hash: "bb", Tools: []client.Tool{{}, {}}},
	},
	Opened: map[string]string{"github": "bb", "evil": "older"},
}

func TestMenu_Running(t *testing.T) {
	t.Parallel()
	const want = `[-] 1 of 4 servers ready, 40 tools
[-] 
----
Upstream Servers
  github: 40 tools
    [-] ready
    Disable > disable github
    Restart > restart github
    [-] Log in…
    Logs > logs github
  docs: needs login
    [-] login needed
    Disable > disable docs
    Restart > restart docs
    Log in… > login docs
    Logs > logs docs
  old: disabled
    [-] disabled
    Enable > enable old
    [-] Restart
    [-] Log in…
    Logs > logs old
  evil<U+202E>: held (unreviewed changes serve)
    [-] held
    Disable > disable evil` + "\u202e\nname" + `
    [-] Restart
    [-] Log in…
    Logs > logs evil` + "\u202e\nname" + `
Security Quarantine (2)
  evil: new or changed server
    Review… > review evil
    [-] Approve what was reviewed
  github: 2 new or changed items
    Review… > review github
    Approve what was reviewed > approve github bb
----
Open Web UI > ui
Copy IDE URL > copy
Open config > config
Open logs > all logs
----
Stop > stop
[ ] Start at login > at login
[-] mcpproxy 1.2
Quit > quit
`
	if got := outline(Menu(running), ""); got != want {
		t.Errorf("menu:\n%s\nwant:\n%s", got, want)
	}
}

func TestMenu_KeepsItsShapeWhileNothingRuns(t *testing.T) {
	t.Parallel()
	off := Menu(State{Version: "1.2", AtLogin: true})
	on := Menu(running)
	if len(off) != len(on) {
		t.Fatalf("%d lines, %d while it runs", len(off), len(on))
	}
	for i := range off {
		if off[i].Separator != on[i].Separator || (len(off[i].Children) > 0) != (len(on[i].Children) > 0) {
			t.Errorf("line %d: %+v, %+v while it runs", i, off[i], on[i])
		}
	}
	got := outline(off, "")
	for _, line := range []string{"[-] mcpproxy is not running\n", "Start > start\n", "[x] Start at login > at login\n", "[-] Open Web UI\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

func TestFaceOf(t *testing.T) {
	t.Parallel()
	with := func(states ...string) State {
		s := State{Running: true}
		for _, st := range states {
			s.Status.Servers = append(s.Status.Servers, client.Server{State: st})
		}
		return s
	}
	waiting := with("ready", "held")
	waiting.Waiting = []client.Waiting{{}}
	faulty := with("ready")
	faulty.Status.ConfigError = "line 3"
	for _, tt := range []struct {
		name string
		s    State
		want Face
	}{
		{"not running", State{}, FaceOff},
		{"all well", with("ready", "disabled", "starting"), FaceOK},
		{"something waits", waiting, FaceAttention},
		{"a server failed", with("ready", "failed"), FaceError},
		{"a login is needed", with("needs-login"), FaceError},
		{"faulty configuration", faulty, FaceError},
	} {
		if got := FaceOf(tt.s); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
