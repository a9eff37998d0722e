package app

import (
	"context"
	"errors"

	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/upstream"
	"mcpproxy/upstream/docker"
)

// ExamineIsolation runs a probe in the walls of the server.
func (a *App) ExamineIsolation(ctx context.Context, server string) (client.IsolationReport, error) {
	s, err := a.configured(server)
	if err != nil {
		return client.IsolationReport{}, err
	}
	if s.Isolation == nil {
		e := &client.Error{Code: client.CodeInvalid, Message: "server " + server + " is not isolated: it runs on this machine",
			Hint: `set "isolation": {"enabled": true} of the server, or docker_isolation.enabled`}
		switch {
		case s.Transport != config.Stdio:
			e.Message, e.Hint = "server "+server+" is a remote one: there is nothing to isolate here", ""
		case docker.Engine(s.Command):
			e.Hint = "its command drives containers itself, and so it is left on this machine"
		}
		return client.IsolationReport{}, e
	}
	spec := a.specOf(s, "")
	spec.Args, spec.Env = nil, nil // the probe takes the server's place and needs none of its secrets
	found, err := a.docker.Examine(ctx, spec, a.opt.Executable)
	if err != nil {
		code := client.CodeUnavailable
		if errors.Is(err, upstream.ErrConfig) {
			code = client.CodeConfig
		}
		return client.IsolationReport{}, &client.Error{Code: code, Message: err.Error()}
	}
	r := client.IsolationReport{Server: server, Image: found.Image, ID: found.ID, Inside: found.Inside, OK: true}
	for _, c := range found.Checks {
		r.Checks = append(r.Checks, client.IsolationCheck(c))
		r.OK = r.OK && c.OK
	}
	return r, nil
}
