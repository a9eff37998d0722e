package app

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
)

// AddServer writes a new server to the file. It waits for approval.
func (a *App) AddServer(ctx context.Context, add client.ServerChange) (client.Server, error) {
	if err := a.mayEdit(); err != nil {
		return client.Server{}, err
	}
	if err := checkName(add); err != nil {
		return client.Server{}, err
	}
	if _, err := a.configured(*add.Name); err == nil {
		return client.Server{}, &client.Error{Code: client.CodeConflict, Message: fmt.Sprintf("server %q exists already", *add.Name),
			Hint: "choose another name; to change it, edit the configuration or use the update operation of upstream_servers"}
	}
	if err := a.file.AddServer(*add.Name, fields(add)); err != nil {
		return client.Server{}, asClientError(err)
	}
	return a.edited(ctx, *add.Name)
}

// checkName refuses what the configuration would take and no command could name.
func checkName(add client.ServerChange) error {
	switch {
	case add.Name == nil || *add.Name == "":
		return &client.Error{Code: client.CodeInvalid, Message: "a server needs a name"}
	case strings.HasPrefix(*add.Name, "-"):
		return &client.Error{Code: client.CodeInvalid, Message: fmt.Sprintf("%q looks like an option: begin a server's name with something else", *add.Name)}
	}
	return nil
}

// UpdateServer writes the given fields and leaves the others.
func (a *App) UpdateServer(ctx context.Context, name string, c client.ServerChange) (client.Server, error) {
	if _, err := a.configured(name); err != nil {
		return client.Server{}, err
	}
	if err := a.mayEdit(); err != nil {
		return client.Server{}, err
	}
	if err := a.file.UpdateServer(name, fields(c)); err != nil {
		return client.Server{}, asClientError(err)
	}
	if c.Enabled != nil && *c.Enabled {
		a.invite(ctx, name)
	}
	return a.edited(ctx, name)
}

// RemoveServer takes the server out of the file; its approvals are forgotten.
func (a *App) RemoveServer(ctx context.Context, name string) error {
	s, err := a.configured(name)
	if err != nil {
		return err
	}
	if err := a.mayEdit(); err != nil {
		return err
	}
	if err := a.file.RemoveServer(name); err != nil {
		return asClientError(err)
	}
	a.logins.Forget(ctx, name)
	if err := a.gate.Forget(name); err != nil { // before what may fail: what is gone wins no trust back
		return err
	}
	if err := a.reload(ctx); err != nil {
		return asClientError(err)
	}
	if s.Isolation != nil {
		if err := a.docker.Forget(ctx, name); err != nil {
			a.log.Warn("docker isolation: the volume of a removed server is left", zap.String("server", name), zap.Error(err))
		}
	}
	return nil
}

// edited puts the edited file in force and returns the server as it is now.
func (a *App) edited(ctx context.Context, name string) (client.Server, error) {
	if err := a.reload(ctx); err != nil {
		return client.Server{}, asClientError(err)
	}
	return a.Server(ctx, name)
}

// fields lists what a change sets, in the order that a person would write it.
func fields(c client.ServerChange) (list []config.Field) {
	list = with(list, "type", c.Protocol)
	list = with(list, "command", c.Command)
	list = with(list, "args", c.Args)
	list = with(list, "env", c.Env)
	list = with(list, "url", c.URL)
	list = with(list, "headers", c.Headers)
	list = with(list, "working_dir", c.WorkingDir)
	return with(list, "enabled", c.Enabled)
}

// with appends the key if it has a value.
func with[T any](list []config.Field, key string, value *T) []config.Field {
	if value == nil {
		return list
	}
	return append(list, config.Field{Key: key, Value: *value})
}
