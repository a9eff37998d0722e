// Package audit is the append-only record of what happened: every call, approval,
// hold, block and change of the configuration, one JSON object per line.
//
//	Record -> queue in memory -> one writer -> audit.jsonl -> rotated files
//
// Nobody who records waits for a disk: entries are handed over in memory and
// written in batches, a few milliseconds later. A crash loses what was not yet
// written, at most one batch; approvals have their own durable history in the
// gate. The arguments of calls are not kept unless that was asked for.
//
// Files are 0600, begin a new one at 10 MB, and go when they are too old or too
// many.
package audit

import (
	"context"
	"encoding/json"
	"time"
)

// What an [Entry] is about. The gate's own events keep the names that
// quarantine history shows.
const (
	Call     = "call"
	Config   = "config"   // the configuration in force changed
	Secret   = "secret"   // one was set or deleted; Detail names it
	Restored = "restored" // approvals were brought back from a backup
	Lost     = "lost"     // entries that could not be kept; Detail says how many
)

// Outcomes of a call.
const (
	OK        = "ok"
	Failed    = "failed"  // the upstream, or the way to it
	Refused   = "refused" // by the gate or the argument check; nothing was sent
	Unsent    = "unsent"  // the server could not be reached; nothing was sent
	Cancelled = "cancelled"
)

// Actors: the surface that something came through.
const (
	Agent    = "mcp"      // an agent, on /mcp
	Local    = "local"    // the command line or the tray, through the socket of the owner
	Browser  = "browser"  // the page, logged in with a one-time link
	Remote   = "rest"     // whoever has the API key: a script
	File     = "config"   // the configuration file
	Upstream = "upstream" // what a server listed
)

// Entry is one line of the record. Seq counts from 1 and never repeats; the rest
// is empty where it has no meaning.
type Entry struct {
	Seq      uint64    `json:"seq"`
	Time     time.Time `json:"time"`
	What     string    `json:"what"`
	Actor    string    `json:"actor"`
	Server   string    `json:"server,omitempty"`
	Tool     string    `json:"tool,omitempty"`    // name of the tool; of other kinds prompt/NAME and so on
	Hash     string    `json:"hash,omitempty"`    // of the definition; of the page, for a server
	Request  string    `json:"request,omitempty"` // id that the client gave the request, as JSON
	Session  string    `json:"session,omitempty"` // first characters of the MCP session
	Outcome  string    `json:"outcome,omitempty"`
	Micros   int64     `json:"duration_us,omitempty"`
	Sent     int       `json:"sent_bytes,omitempty"`     // arguments
	Received int       `json:"received_bytes,omitempty"` // result
	Detail   string    `json:"detail,omitempty"`         // names, never values
	// Arguments are kept only where the configuration asks for them.
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

type actorKey struct{}

// WithActor says through which surface the work of ctx came.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf returns what [WithActor] said, else [Agent]: nobody else calls without.
func ActorOf(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		return actor
	}
	return Agent
}
