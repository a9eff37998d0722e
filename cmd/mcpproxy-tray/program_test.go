package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpproxy/internal/client"
)

// stage is a fake instance, desktop and view in one.
type stage struct {
	mu      sync.Mutex
	up      bool
	page    string // hash of what waits of github
	asked   []string
	opened  []string
	login   bool
	menus   chan string // every menu drawn
	changed chan struct{}
}

func (s *stage) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, text)
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	page := s.page
	s.mu.Unlock()
	switch r.URL.Path {
	case "/api/v1/status":
		_ = json.NewEncoder(w).Encode(client.Status{Running: true, Endpoint: "http://localhost:1/mcp/", ConfigPath: "/c", LogDir: "/l",
			Servers: []client.Server{{Name: "github", State: "ready", Enabled: true, Tools: 3}}})
	case "/api/v1/quarantine":
		list := []client.Waiting{}
		if page != "" {
			list = append(list, client.Waiting{Server: "github", State: "approved", Hash: page})
		}
		_ = json.NewEncoder(w).Encode(list)
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("id: 1\ndata: {\"kind\":\"all\"}\n\n"))
		for {
			select {
			case <-s.changed:
				_, _ = w.Write([]byte("id: 2\ndata: {\"kind\":\"quarantine\"}\n\n"))
			case <-r.Context().Done():
				return
			}
		}
	case "/api/v1/session/link":
		_ = json.NewEncoder(w).Encode(client.Link{URL: "http://localhost:1/ui/#once=T"})
	default:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		text, _ := json.Marshal(body)
		s.note(r.Method + " " + r.URL.Path + " " + string(text))
		_, _ = w.Write([]byte("{}"))
	}
}

func (s *stage) dial() (*client.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		return nil, client.ErrNotRunning
	}
	return client.InProcess(s), nil
}

func (s *stage) Draw(face Face, _ string, items []Item) {
	s.menus <- string(face) + "\n" + outline(items, "")
}

func (s *stage) Open(target string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = append(s.opened, target)
	return nil
}
func (s *stage) Copy(text string) error { s.note("copy " + text); return nil }
func (s *stage) StartProxy() error      { return errors.New("not here\nsecond line") }
func (s *stage) AtLogin() bool          { s.mu.Lock(); defer s.mu.Unlock(); return s.login }
func (s *stage) SetAtLogin(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login = on
	return nil
}
func (s *stage) Quit() { s.note("quit") }

// begin runs a program on a stage until the test ends.
func begin(t *testing.T, up bool) (*stage, *program) {
	t.Helper()
	s := &stage{up: up, menus: make(chan string, 100), changed: make(chan struct{})}
	p := newProgram(s, s, s.dial)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, p
}

// sees waits for a menu that has text.
func (s *stage) sees(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	last := ""
	for {
		select {
		case last = <-s.menus:
			if strings.Contains(last, text) {
				return
			}
		case <-late:
			t.Fatalf("no menu with %q; the last was\n%s", text, last)
		}
	}
}

func TestProgram_FollowsAnInstanceThatComes(t *testing.T) {
	t.Parallel()
	s, _ := begin(t, false)
	s.sees(t, "off\n[-] mcpproxy is not running")
	s.mu.Lock()
	s.up = true
	s.mu.Unlock()
	s.sees(t, "ok\n[-] 1 of 1 servers ready, 3 tools")
	s.mu.Lock()
	s.page = "aa"
	s.mu.Unlock()
	s.changed <- struct{}{}
	s.sees(t, "attention\n")
}

func TestProgram_ApprovesOnlyWhatWasReviewed(t *testing.T) {
	t.Parallel()
	s, p := begin(t, true)
	s.mu.Lock()
	s.page = "aa"
	s.mu.Unlock()
	s.sees(t, "Security Quarantine (1)\n  github: 0 new or changed items\n    Review… > review github\n    [-] Approve")
	p.click(t.Context(), doTo(Review, "github"))
	s.sees(t, "Approve what was reviewed > approve github aa")
	if got := s.opened[0]; got != "http://localhost:1/ui/review?server=github#once=T" {
		t.Errorf("opened %s", got)
	}
	s.mu.Lock()
	s.page = "bb" // it moved meanwhile
	s.mu.Unlock()
	s.changed <- struct{}{}
	s.sees(t, "[-] Approve what was reviewed")
	p.click(t.Context(), approve("github", "aa"))
	if want := `POST /api/v1/quarantine/github/approve {"hash":"aa"}`; s.asked[len(s.asked)-1] != want {
		t.Errorf("asked %q, want %s", s.asked, want)
	}
}

func TestProgram_Clicks(t *testing.T) {
	t.Parallel()
	s, p := begin(t, true)
	s.sees(t, "1 of 1 servers ready")
	for _, tt := range []struct {
		do   Action
		want string
	}{
		{doTo(Disable, "github"), `PATCH /api/v1/servers/github {"enabled":false}`},
		{doTo(Enable, "github"), `PATCH /api/v1/servers/github {"enabled":true}`},
		{doTo(Restart, "github"), `POST /api/v1/servers/github/restart {}`},
		{do(CopyURL), "copy http://localhost:1/mcp/"},
		{do(Stop), `POST /api/v1/shutdown {}`},
		{do(Quit), "quit"},
	} {
		p.click(t.Context(), tt.do)
		s.mu.Lock()
		if got := s.asked[len(s.asked)-1]; got != tt.want {
			t.Errorf("%v asked %q, want %q", tt.do, got, tt.want)
		}
		s.mu.Unlock()
	}
	for _, a := range []Action{doTo(Logs, "github"), do(OpenUI), do(OpenConfig), do(OpenLogs)} {
		p.click(t.Context(), a)
	}
	want := []string{"http://localhost:1/ui/servers?server=github#once=T", "http://localhost:1/ui/#once=T", "/c", "/l"}
	if strings.Join(s.opened, " ") != strings.Join(want, " ") {
		t.Errorf("opened %q, want %q", s.opened, want)
	}
	p.click(t.Context(), do(AtLogin))
	s.sees(t, "[x] Start at login")
}

func TestProgram_NotesWhyAClickFailed(t *testing.T) {
	t.Parallel()
	s, p := begin(t, false)
	s.sees(t, "not running")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.click(ctx, do(Start)) }()
	s.sees(t, "[-] not here\n")
	cancel()
	<-done
	s.sees(t, "[-] \n----")
}
