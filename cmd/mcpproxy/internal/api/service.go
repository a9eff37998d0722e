// Package api serves every HTTP route of the proxy: the MCP endpoint, the typed
// REST API under /api/v1, and the health probes, all behind one guard that
// checks Host, Origin and content type.
package api

import (
	"context"
	"encoding/json"
	"time"

	"mcpproxy/internal/client"
)

// Service is what the routes ask the running program for. Errors that a person
// should see are [*client.Error]; anything else is answered as internal.
// Implementations are safe for concurrent use.
type Service interface {
	Status(ctx context.Context) (client.Status, error)
	// Ready reports whether every enabled and approved server was listed once or
	// failed, and names those that are still starting.
	Ready() (ready bool, waiting []string)
	// Shutdown begins the end of the instance and returns at once.
	Shutdown(ctx context.Context) error

	Servers
	Tools
	Catalog
	Quarantine
	Scanner
	Models
	Config
	Audit
	Isolation
	Stats
	Logins
	Secrets

	Index(ctx context.Context) (client.Index, error)
	// Rebuild calls progress, if set, as it goes.
	Rebuild(ctx context.Context, progress func(done, total int)) (client.Index, error)
}

// Servers manages the configured upstreams. Changes go to the configuration
// file; what is added or changed waits for approval.
type Servers interface {
	ListServers(ctx context.Context) ([]client.Server, error)
	Server(ctx context.Context, name string) (client.Server, error)
	AddServer(ctx context.Context, add client.ServerChange) (client.Server, error)
	UpdateServer(ctx context.Context, name string, change client.ServerChange) (client.Server, error)
	RemoveServer(ctx context.Context, name string) error
	RestartServer(ctx context.Context, name string) error
	// Logs returns the last lines of the server's own log, oldest first.
	Logs(ctx context.Context, name string, lines int) ([]string, error)
	// FollowLogs calls each for the last lines and for every line that is written
	// from then on, until ctx ends or each returns an error, which it returns.
	FollowLogs(ctx context.Context, name string, lines int, each func(line string) error) error
}

// Audit reads the record of what happened.
type Audit interface {
	// Audit returns the entries that f chooses, oldest first. With f.Wait it waits
	// up to that long for the first.
	Audit(ctx context.Context, f client.AuditFilter) ([]client.AuditEntry, error)
}

// Models chooses the sentence model of the search.
type Models interface {
	Models(ctx context.Context) ([]client.Model, error)
	// UseModel writes the choice to the configuration file.
	UseModel(ctx context.Context, name string) (client.Model, error)
	RemoveModel(ctx context.Context, name string) error
}

// Trace receives every JSON-RPC frame of one listing; dir is "->" or "<-".
type Trace func(dir string, frame []byte)

// ListOptions is for one listing. Zero Timeout means 30 s; a nil Trace is off.
type ListOptions struct {
	Timeout time.Duration
	Trace   Trace
}

// Tools lists, searches and calls tools.
type Tools interface {
	// ListTools starts the server once where it is not running, lists it, stops
	// it again, and stores the listing for review.
	ListTools(ctx context.Context, server string, opt ListOptions) ([]client.Tool, error)
	Search(ctx context.Context, query string, limit int, server string) ([]client.Hit, error)
	// Expect says where the tool id, "server:tool", stands for a search.
	Expect(ctx context.Context, query, server, id string) (client.Expectation, error)
	// CallTool calls one of the proxy's own tools by name, or an upstream's by
	// "server:tool", and returns the CallToolResult as it came.
	CallTool(ctx context.Context, name string, args json.RawMessage) (json.RawMessage, error)
}

// Quarantine is the reviewer's side of the gate. Only a person's surface may
// call Approve.
type Quarantine interface {
	Waiting(ctx context.Context) ([]client.Waiting, error)
	// Page returns what Inspect stored last, starting nothing.
	Page(ctx context.Context, server string) (client.Waiting, error)
	Inspect(ctx context.Context, server string, opt ListOptions) (client.Waiting, error)
	// Approve approves the launch identity and exactly the tools of the page
	// whose hash is given, and returns what was approved.
	Approve(ctx context.Context, server, hash string) (client.Waiting, error)
	// ApproveItem approves the one waiting definition that what names.
	ApproveItem(ctx context.Context, server string, what client.ApproveRequest) error
	// Block keeps a server, or one definition of it, from agents, or ends that.
	Block(ctx context.Context, server string, what client.BlockRequest) error
	// History is newest first; an empty server means all.
	History(ctx context.Context, server string, limit int) ([]client.ReviewEvent, error)
}
