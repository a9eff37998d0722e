package app

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
	"mcpproxy/internal/tool"
	"mcpproxy/quarantine"
)

func (a *App) openAudit(cfg *config.Config) (*audit.Log, error) {
	return audit.Open(filepath.Join(a.dir, "audit"), audit.Options{
		MaxMB: cfg.AuditMaxMB, MaxDays: cfg.AuditMaxDays, Redact: a.redact.Text,
		Failed: func(err error) { a.log.Error("the record cannot be written", zap.Error(err)) },
	})
}

// Audit implements [api.Audit].
func (a *App) Audit(ctx context.Context, f client.AuditFilter) ([]client.AuditEntry, error) {
	choose := audit.Filter{What: f.What, Server: f.Server, Tool: f.Tool, Outcome: f.Outcome, Since: f.Since, After: f.After, Limit: f.Limit}
	patience, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	for {
		last := a.audit.Last()
		list, err := a.audit.List(choose)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 && f.Wait > 0 && a.audit.Wait(patience, last) == nil {
			continue
		}
		dto := make([]client.AuditEntry, len(list))
		for i, e := range list {
			dto[i] = client.AuditEntry(e)
		}
		return dto, ctx.Err()
	}
}

// recordEvent puts what the gate did by itself on the record. What a person did
// is recorded where it is known through which surface.
func (a *App) recordEvent(e quarantine.Event) {
	if e.What != quarantine.EventHeld && e.What != quarantine.EventChanged {
		a.backups.Changed()
	}
	a.events.Publish(client.EventQuarantine, e.Server)
	if e.What == quarantine.EventHeld || e.What == quarantine.EventChanged {
		a.metrics.Held()
	}
	actor := audit.Upstream
	switch e.What {
	case quarantine.EventApproved, quarantine.EventBlocked, quarantine.EventUnblocked:
		return
	case quarantine.EventTrusted, quarantine.EventAuto, quarantine.EventForgotten:
		actor = audit.File
	}
	entry := audit.Entry{Time: e.Time, What: e.What, Actor: actor, Server: e.Server, Tool: recordName(tool.ID{Kind: e.Kind, Name: e.Tool})}
	if !e.Hash.IsZero() {
		entry.Hash = e.Hash.String()
	}
	a.audit.Record(entry)
}

// recordApproval records the page and every definition on it.
func (a *App) recordApproval(ctx context.Context, p quarantine.Page) {
	a.audit.Record(reviewed(ctx, quarantine.EventApproved, tool.ID{Server: p.Server}, p.Hash))
	for _, r := range p.Tools {
		a.audit.Record(reviewed(ctx, quarantine.EventApproved, r.Tool.ID, r.Hash))
	}
}

// recordName is what the record calls a definition: the name of a tool,
// prompt/NAME and so on of other kinds.
func recordName(id tool.ID) string {
	_, name, _ := strings.Cut(id.String(), ":")
	return name
}

// reviewed is what a person decided.
func reviewed(ctx context.Context, what string, id tool.ID, h tool.Hash) audit.Entry {
	e := audit.Entry{Time: time.Now().UTC(), What: what, Actor: audit.ActorOf(ctx), Server: id.Server, Tool: recordName(id)}
	if !h.IsZero() {
		e.Hash = h.String()
	}
	return e
}

// differences names what changed between two configurations: servers and keys,
// never values.
func differences(old, now *config.Config) string {
	var parts []string
	was := byName(old.Servers)
	for _, s := range now.Servers {
		before, there := was[s.Name]
		delete(was, s.Name)
		switch {
		case !there:
			parts = append(parts, "+"+s.Name)
		case !reflect.DeepEqual(before, s):
			parts = append(parts, s.Name+" ("+strings.Join(changedFields(before, s), ", ")+")")
		}
	}
	for name := range was {
		parts = append(parts, "-"+name)
	}
	x, y := *old, *now
	x.Servers, y.Servers = nil, nil
	parts = append(parts, changedFields(x, y)...)
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func byName(servers []config.Server) map[string]config.Server {
	m := make(map[string]config.Server, len(servers))
	for _, s := range servers {
		m[s.Name] = s
	}
	return m
}

// changedFields names the fields in which two structs of one type differ.
func changedFields[T any](x, y T) (names []string) {
	a, b := reflect.ValueOf(x), reflect.ValueOf(y)
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, fmt.Sprint(a.Type().Field(i).Name))
		}
	}
	return names
}
