package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcpproxy/internal/client"
)

// Manager manages the configured upstreams. Errors for people are
// [*client.Error].
type Manager interface {
	ListServers(ctx context.Context) ([]client.Server, error)
	AddServer(ctx context.Context, add client.ServerChange) (client.Server, error)
	UpdateServer(ctx context.Context, name string, change client.ServerChange) (client.Server, error)
	RemoveServer(ctx context.Context, name string) error
	RestartServer(ctx context.Context, name string) error
	Logs(ctx context.Context, name string, lines int) ([]string, error)
}

const (
	defaultLines = 50
	maxLines     = 1000
	stateHeld    = "held" // of upstream.State
)

// manage answers upstream_servers.
func (p *Proxy) manage(ctx context.Context, q request) json.RawMessage {
	in, err := readManagement(q.args)
	if err == nil {
		err = in.complete()
	}
	if err != nil {
		return failure(managementTool+": "+err.Error(), `give an operation and its fields, such as {"operation":"list"}`)
	}
	if why := forbidden(p.opt.Policy(), in.operation); why != "" {
		return failure(managementTool+": "+why, "ask the user to do it")
	}
	var raw json.RawMessage
	switch in.operation {
	case "list":
		raw, err = p.listServers(ctx)
	case "logs":
		raw, err = p.serverLogs(ctx, in)
	default:
		raw, err = p.changeServer(ctx, in)
	}
	if err != nil {
		return managementFailure(in, err)
	}
	return p.cut(raw, p.limits().ResponseLimit)
}

// forbidden says why the policy does not allow an operation, "" if it does.
func forbidden(policy Policy, operation string) string {
	looking := operation == "list" || operation == "logs"
	switch {
	case policy.DisableManagement:
		return "managing servers is switched off (--disable-management)"
	case policy.ReadOnly && !looking:
		return "this proxy is read-only (--read-only)"
	case operation == "add" && !policy.AllowAdd:
		return "adding servers is not allowed (--allow-server-add=false)"
	case operation == "remove" && !policy.AllowRemove:
		return "removing servers is not allowed (--allow-server-remove=false)"
	}
	return ""
}

func managementFailure(in management, err error) json.RawMessage {
	if known, ok := errors.AsType[*client.Error](err); ok {
		return failure(managementTool+" "+in.operation+": "+plainText(known.Message, maxErrorText), known.Hint)
	}
	return failure(managementTool+" "+in.operation+": "+plainText(err.Error(), maxErrorText), `see {"operation":"list"}`)
}

// serverRow is one server as an agent sees it.
type serverRow struct {
	client.Server
	Says string `json:"says"` // the state in plain words
}

func (p *Proxy) listServers(ctx context.Context) (json.RawMessage, error) {
	list, err := p.opt.Servers.ListServers(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]serverRow, len(list))
	for i, s := range list {
		rows[i] = serverRow{s, says(s)}
		if s.State == stateHeld {
			rows[i].Error = "" // what a server says before its approval is not for agents
		}
	}
	answer := struct {
		Servers []serverRow `json:"servers"`
		Note    string      `json:"note,omitempty"`
	}{Servers: rows}
	if len(rows) == 0 {
		answer.Note = "No server is configured. Add one with the add operation, or ask the user to."
	}
	return structured(answer), nil
}

// says puts a server's state into words, with the command that helps.
func says(s client.Server) string {
	var text string
	switch s.State {
	case "ready":
		text = fmt.Sprintf("connected, %s", count(s.Tools, "tool", "tools"))
		if s.HeldTools > 0 {
			text += fmt.Sprintf("; %s for the user's review: %s", count(s.HeldTools, "new or changed item waits", "new or changed items wait"), suggested("quarantine", "inspect", s.Name))
		}
		return text
	case stateHeld:
		return "waits for the user's approval and does not run: " + reviewing(s.Name)
	case "disabled":
		return "switched off"
	case "starting":
		return "starting"
	case "needs-login":
		text = "the server wants a login"
	case "backing-off":
		text = "not reachable, will be tried again"
	case "failed":
		text = "cannot run as configured"
	default:
		text = s.State
	}
	if s.Hint != "" {
		text += "; next: " + s.Hint
	}
	return text
}

// serverLogs shows the log of a server that was approved. Before that its text
// is for a person only.
func (p *Proxy) serverLogs(ctx context.Context, in management) (json.RawMessage, error) {
	list, err := p.opt.Servers.ListServers(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(s client.Server) bool { return s.Name == in.name })
	if at >= 0 && list[at].State == stateHeld {
		return nil, &client.Error{Code: client.CodeHeld, Message: in.name + " waits for approval, so its log is for the user only", Hint: "ask the user to run: " + suggested("upstream", "logs", in.name)}
	}
	lines := in.lines
	if lines < 1 {
		lines = defaultLines
	}
	log, err := p.opt.Servers.Logs(ctx, in.name, min(lines, maxLines))
	if err != nil {
		return nil, err
	}
	if len(log) == 0 {
		return textResult("The log of " + printable(in.name) + " is empty."), nil
	}
	for i := range log {
		log[i] = plainText(log[i], 500)
	}
	return textResult(strings.Join(log, "\n")), nil
}

func (p *Proxy) changeServer(ctx context.Context, in management) (json.RawMessage, error) {
	name, done := printable(in.name), ""
	var s client.Server
	var err error
	switch in.operation {
	case "add":
		in.change.Name = &in.name
		s, err = p.opt.Servers.AddServer(ctx, in.change)
		done = "was added"
	case "update":
		s, err = p.opt.Servers.UpdateServer(ctx, in.name, in.change)
		done = "was changed"
	case "enable", "disable":
		on := in.operation == "enable"
		s, err = p.opt.Servers.UpdateServer(ctx, in.name, client.ServerChange{Enabled: &on})
		done = "is " + in.operation + "d"
	case "remove":
		err = p.opt.Servers.RemoveServer(ctx, in.name)
		return textResult("Server " + name + " was removed. Its approvals are forgotten."), err
	case "restart":
		err = p.opt.Servers.RestartServer(ctx, in.name)
		return textResult("Server " + name + ` is restarting. See its state with {"operation":"list"}.`), err
	}
	if err != nil {
		return nil, err
	}
	text := "Server " + name + " " + done
	switch {
	case s.State == stateHeld:
		text += " and does not run before the user approves it.\nNext: ask the user to run: " + reviewing(in.name)
	case s.State == "disabled" && in.operation != "disable":
		text += " and is switched off."
	case s.State != "disabled":
		text += "; it is now: " + says(s) + "."
	default:
		text += "."
	}
	return textResult(text), nil
}
