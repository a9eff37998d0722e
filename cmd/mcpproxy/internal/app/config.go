package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
)

// Config returns the file as it is now, without its secrets, and what is in
// force.
func (a *App) Config(context.Context) (client.Config, error) {
	text, err := a.file.Text()
	if err != nil {
		return client.Config{}, err
	}
	inForce := a.inForce.Load()
	v := client.Config{
		Path: a.configPath, Hash: config.Hash(text), InForce: a.fault.Load() == nil,
		Settings: settingsOf(inForce), ReadOnly: a.policy().ReadOnly,
	}
	check := checked(text)
	v.Faults, v.Warnings = check.Faults, check.Warnings
	if shown, hidden, err := config.Redact(text); err == nil {
		v.Text, v.Hidden = string(shown), hidden
	}
	return v, nil
}

// CheckConfig finds the faults of a text that a person is writing.
func (a *App) CheckConfig(_ context.Context, text string) (client.ConfigCheck, error) {
	old, err := a.file.Text()
	if err != nil {
		return client.ConfigCheck{}, err
	}
	whole, err := restored([]byte(text), old)
	if err != nil {
		if faults, ok := errors.AsType[config.Faults](err); ok {
			return client.ConfigCheck{Faults: faultDTOs(faults), Warnings: []client.ConfigFault{}}, nil
		}
		return client.ConfigCheck{}, err
	}
	return checked(whole), nil
}

// WriteConfig replaces the file whose hash is given, and puts it in force.
func (a *App) WriteConfig(ctx context.Context, text, hash string) (client.Config, error) {
	if err := a.mayEdit(); err != nil {
		return client.Config{}, err
	}
	err := a.file.Rewrite(hash, func(old []byte) ([]byte, error) { return restored([]byte(text), old) })
	if errors.Is(err, config.ErrMoved) {
		return client.Config{}, &client.Error{Code: client.CodeConflict, Message: err.Error(), Hint: "read it again and repeat the change"}
	}
	if err != nil {
		return client.Config{}, asClientError(err)
	}
	if err := a.reload(ctx); err != nil {
		return client.Config{}, asClientError(err)
	}
	return a.Config(ctx)
}

// restored puts back what Redact took out. Where the file itself cannot be read
// nothing was shown of it, and the text stands for itself.
func restored(text, old []byte) ([]byte, error) {
	whole, err := config.Restore(text, old)
	if err == nil {
		return whole, nil
	}
	if _, _, unreadable := config.Redact(old); unreadable != nil {
		return config.Restore(text, nil)
	}
	return nil, err
}

// PatchConfig changes single settings in place.
func (a *App) PatchConfig(ctx context.Context, p client.ConfigPatch) (client.Config, error) {
	if err := a.mayEdit(); err != nil {
		return client.Config{}, err
	}
	known := settingNames()
	var fields []config.Field
	for _, key := range slices.Sorted(maps.Keys(p.Set)) {
		if !slices.Contains(known, key) {
			return client.Config{}, &client.Error{Code: client.CodeInvalid, Message: fmt.Sprintf("%q is not changed this way", key), Hint: "one of " + strings.Join(known, ", ") + "; edit the text for any other"}
		}
		var value any
		if err := json.Unmarshal(p.Set[key], &value); err != nil {
			return client.Config{}, &client.Error{Code: client.CodeInvalid, Message: key + ": " + err.Error()}
		}
		fields = append(fields, config.Field{Key: key, Value: value})
	}
	if err := a.file.SetTops(fields); err != nil {
		return client.Config{}, asClientError(err)
	}
	if err := a.reload(ctx); err != nil {
		return client.Config{}, asClientError(err)
	}
	return a.Config(ctx)
}

// mayEdit returns an error where nothing may change the configuration but an
// editor.
func (a *App) mayEdit() error {
	if a.policy().ReadOnly {
		return readOnly(a.configPath)
	}
	return nil
}

func readOnly(path string) error {
	return &client.Error{Code: client.CodeForbidden, Message: "this proxy is read-only", Hint: "its --read-only flag, or read_only in " + path + ", forbids changes"}
}

func checked(text []byte) client.ConfigCheck {
	_, warnings, err := config.Parse(text)
	var faults config.Faults
	errors.As(err, &faults)
	return client.ConfigCheck{OK: err == nil, Faults: faultDTOs(faults), Warnings: faultDTOs(warnings)}
}

func faultDTOs[F config.Fault | config.Warning](list []F) []client.ConfigFault {
	out := make([]client.ConfigFault, 0, len(list))
	for _, f := range list {
		fault := config.Fault(f)
		out = append(out, client.ConfigFault{Path: fault.Path, Line: fault.Line, Column: fault.Column, Message: fault.Message})
	}
	return out
}

func settingsOf(c *config.Config) client.ConfigSettings {
	return client.ConfigSettings{
		EnableTray: c.EnableTray, TopK: c.TopK, ToolsLimit: c.ToolsLimit, ToolResponseLimit: c.ToolResponseLimit,
		LogLevel: c.LogLevel, DisableManagement: c.DisableManagement,
		AllowServerAdd: c.AllowServerAdd, AllowServerRemove: c.AllowServerRemove, RequireMCPAuth: c.RequireMCPAuth,
		AuditArguments: c.AuditArguments, AuditMaxMB: c.AuditMaxMB, AuditMaxDays: c.AuditMaxDays,
	}
}

// settingNames are the keys of [client.ConfigSettings].
func settingNames() (names []string) {
	t := reflect.TypeFor[client.ConfigSettings]()
	for field := range t.Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}
