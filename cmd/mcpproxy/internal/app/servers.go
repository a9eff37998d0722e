package app

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"mcpproxy/internal/client"
	"mcpproxy/internal/closest"
	"mcpproxy/internal/config"
	"mcpproxy/internal/hint"
	"mcpproxy/upstream"
)

// notRunning is the state of every server while no instance runs.
const notRunning = "not running"

// ListServers returns every configured server in the order of the file.
func (a *App) ListServers(context.Context) ([]client.Server, error) {
	cfg := a.inForce.Load()
	states := map[string]upstream.Status{}
	if a.serving {
		for _, st := range a.pool.Status() {
			states[st.Name] = st
		}
	}
	counts := a.index.Status().Servers
	held := a.gate.HeldTools()
	policies := policiesOf(cfg)
	list := make([]client.Server, 0, len(cfg.Servers))
	for _, s := range cfg.Servers {
		dto := a.serverDTO(s, states[s.Name])
		dto.Tools, dto.HeldTools = counts[s.Name], held[s.Name]
		dto.AutoApprove = string(policies[s.Name])
		list = append(list, dto)
	}
	return list, nil
}

func (a *App) serverDTO(s config.Server, st upstream.Status) client.Server {
	dto := client.Server{
		Name: s.Name, Transport: s.Transport, Enabled: s.Enabled, State: string(st.State), Error: st.Error,
		Command: s.Command, Args: s.Args, WorkingDir: s.WorkingDir, URL: bareURL(s.URL), PID: st.PID,
		EnvNames: slices.Sorted(maps.Keys(s.Env)), HeaderNames: slices.Sorted(maps.Keys(s.Headers)),
		Since: moment(st.Since), NextTry: moment(st.NextTry), Isolation: a.isolationWords(s), Fault: folderFault(s),
	}
	if st.State == "" {
		dto.State = a.restingState(s)
	}
	dto.Hint = hintFor(dto.State, s)
	if cure := secretCure(s, st.Error); cure != "" {
		dto.Hint = cure
	}
	return dto
}

// restingState is what a server that the pool does not know is called.
func (a *App) restingState(s config.Server) string {
	switch {
	case !s.Enabled:
		return string(upstream.Disabled)
	case a.gate.Launch(s.Name, a.launchOf(s), false) != nil:
		return string(upstream.Held)
	case a.serving:
		return string(upstream.Starting)
	default:
		return notRunning
	}
}

// hintFor names the one command that helps a server in this state.
func hintFor(state string, s config.Server) string {
	name := s.Name
	switch upstream.State(state) {
	case upstream.Held:
		return hint.Command("quarantine", "inspect", name)
	case upstream.Disabled:
		return hint.Command("upstream", "enable", name)
	case upstream.Failed, upstream.BackingOff:
		return hint.Command("upstream", "logs", name)
	case upstream.NeedsLogin:
		if !usesOAuth(s) {
			return "check its Authorization under \"headers\" in the configuration"
		}
		return hint.Command("auth", "login", name)
	default:
		return ""
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Server returns one configured server.
func (a *App) Server(ctx context.Context, name string) (client.Server, error) {
	list, err := a.ListServers(ctx)
	if err != nil {
		return client.Server{}, err
	}
	for _, s := range list {
		if s.Name == name {
			return s, nil
		}
	}
	return client.Server{}, a.unknown(name)
}

// RestartServer starts the server anew, also out of back-off or failure.
func (a *App) RestartServer(ctx context.Context, name string) error {
	s, err := a.configured(name)
	if err != nil {
		return err
	}
	if !a.serving {
		return &client.Error{Code: client.CodeUnavailable, Message: "no instance is running", Hint: "start one: mcpproxy serve"}
	}
	if err := a.gate.Launch(name, a.launchOf(s), false); err != nil {
		return heldError(err)
	}
	a.invite(ctx, name)
	return a.pool.Restart(ctx, name)
}

// Logs returns the last lines of the server's own log.
func (a *App) Logs(_ context.Context, name string, lines int) ([]string, error) {
	if _, err := a.configured(name); err != nil {
		return nil, err
	}
	return a.logs.Tail(name, lines)
}

// FollowLogs calls each for the last lines of the server's own log, and for
// every line from then on.
func (a *App) FollowLogs(ctx context.Context, name string, lines int, each func(line string) error) error {
	if _, err := a.configured(name); err != nil {
		return err
	}
	return a.logs.Follow(ctx, name, lines, each)
}

// configured returns the server's entry in the configuration in force.
func (a *App) configured(name string) (config.Server, error) {
	for _, s := range a.inForce.Load().Servers {
		if s.Name == name {
			return s, nil
		}
	}
	return config.Server{}, a.unknown(name)
}

func (a *App) unknown(name string) error {
	var names []string
	for _, s := range a.inForce.Load().Servers {
		names = append(names, s.Name)
	}
	hint := "no server is configured yet: mcpproxy upstream add NAME -- COMMAND"
	switch near := closest.Name(name, names); {
	case near != "":
		hint = "did you mean " + near + "? configured are " + strings.Join(names, ", ")
	case len(names) > 0:
		hint = "configured are " + strings.Join(names, ", ")
	}
	return &client.Error{Code: client.CodeNotFound, Message: fmt.Sprintf("no server %q", name), Hint: hint}
}

// bareURL drops what may hold a token: user, query and fragment.
func bareURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func heldError(err error) error {
	return &client.Error{Code: client.CodeHeld, Message: err.Error()}
}
