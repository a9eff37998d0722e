package app

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"mcpproxy/cmd/mcpproxy/internal/proxy"
	"mcpproxy/internal/client"
	"mcpproxy/upstream"
)

// Status is one screen about everything.
func (a *App) Status(ctx context.Context) (client.Status, error) {
	servers, err := a.ListServers(ctx)
	if err != nil {
		return client.Status{}, err
	}
	st := client.Status{
		Version: a.opt.Version, PID: os.Getpid(), Running: a.serving, StartedAt: a.started,
		ConfigPath: a.configPath, LogDir: a.logDir(), Servers: servers, Index: a.indexNow(), Loss: a.lost(),
	}
	st.Endpoint = a.endpointNow()
	if f := a.fault.Load(); f != nil {
		st.ConfigError = *f
	}
	if err := cmp.Or(a.db.Writable(), a.audit.Failing()); err != nil {
		st.StorageError = err.Error()
	}
	return st, nil
}

// Ready reports whether every server that may run was listed and went through
// the gate, or failed.
func (a *App) Ready() (ready bool, waiting []string) {
	if !a.applied.Load() {
		return false, nil
	}
	for _, st := range a.pool.Status() {
		switch st.State {
		case upstream.Starting:
			waiting = append(waiting, st.Name)
		case upstream.Ready:
			if !st.Listed || !a.sync.Synced(st.Name) {
				waiting = append(waiting, st.Name)
			}
		}
	}
	return len(waiting) == 0, waiting
}

// Index describes the search index.
func (a *App) Index(ctx context.Context) (client.Index, error) {
	a.awaitModel(ctx)
	return a.indexNow(), nil
}

func (a *App) indexNow() client.Index {
	st := a.index.Status()
	ix := client.Index{
		Tools: st.Tools, Servers: st.Servers, Vectors: st.Vectors, VectorsMade: st.Made, Model: st.Model, NextModel: st.Next, Format: st.Format,
		Rebuilt: st.Rebuilt, BuildMS: st.BuildMS, Searches: uint64(st.Searches),
	}
	if f := a.sentence.fault.Load(); f != nil {
		ix.ModelError = *f
	}
	return ix
}

// Rebuild makes the index anew from the catalogue; searches go on meanwhile.
func (a *App) Rebuild(ctx context.Context, progress func(done, total int)) (client.Index, error) {
	a.awaitModel(ctx)
	if err := a.index.Rebuild(ctx, progress); err != nil {
		return client.Index{}, err
	}
	return a.indexNow(), nil
}

func (a *App) limits() proxy.Limits {
	c := a.inForce.Load()
	return proxy.Limits{TopK: c.TopK, ToolsLimit: c.ToolsLimit, ResponseLimit: c.ToolResponseLimit, RecordArguments: c.AuditArguments}
}

// policy is what the file says unless a flag said otherwise.
func (a *App) policy() proxy.Policy {
	c := a.inForce.Load()
	return proxy.Policy{
		DisableManagement: flagOr(a.opt.DisableManagement, c.DisableManagement),
		ReadOnly:          flagOr(a.opt.ReadOnly, c.ReadOnly),
		AllowAdd:          flagOr(a.opt.AllowServerAdd, c.AllowServerAdd),
		AllowRemove:       flagOr(a.opt.AllowServerRemove, c.AllowServerRemove),
	}
}

func flagOr(flag *bool, file bool) bool {
	if flag != nil {
		return *flag
	}
	return file
}

// overview says in names what is behind the proxy. It runs for every search.
func (a *App) overview() proxy.Overview {
	var o proxy.Overview
	for _, st := range a.pool.Status() {
		switch st.State {
		case upstream.Held:
			o.Waiting = append(o.Waiting, st.Name)
		case upstream.Starting:
			o.Starting = append(o.Starting, st.Name)
		}
	}
	for name, tools := range a.index.Status().Servers {
		o.Servers = append(o.Servers, proxy.ServerTools{Name: name, Tools: tools})
	}
	slices.SortFunc(o.Servers, func(x, y proxy.ServerTools) int { return strings.Compare(x.Name, y.Name) })
	return o
}

func (a *App) forwardNotification(server, method string, params json.RawMessage) {
	if method == "notifications/message" && a.proxy != nil {
		a.proxy.LogMessage(server, params)
	}
}
