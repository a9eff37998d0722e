package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/escape"
	"mcpproxy/internal/tool"
	"mcpproxy/upstream"
)

const shortSession = 8 // characters: enough to tell sessions apart, useless to enter one

// recorded is a call for the record. The zero value records nothing.
type recorded struct {
	entry audit.Entry
	at    time.Time
	to    func(audit.Entry)
}

// recording starts the record of a call with the agent's args.
func (p *Proxy) recording(ctx context.Context, id tool.ID, args json.RawMessage) recorded {
	if p.opt.Record == nil {
		return recorded{}
	}
	b := recorded{at: time.Now(), to: p.opt.Record, entry: audit.Entry{
		What: audit.Call, Actor: audit.ActorOf(ctx), Server: escape.Clip(id.Server, maxRecorded), Tool: escape.Clip(recordName(id), maxRecorded), Sent: len(args),
	}}
	if p.limits().RecordArguments {
		b.entry.Arguments = args
	}
	if rep := replyFrom(ctx); rep != nil {
		if id, err := json.Marshal(rep.id); err == nil {
			b.entry.Request = escape.Clip(string(id), maxRecorded)
		}
		if rep.session != nil {
			b.entry.Session = rep.session.id[:min(shortSession, len(rep.session.id))]
		}
	}
	return b
}

// recordName is what the record calls a definition; see [audit.Entry].
func recordName(id tool.ID) string {
	if id.Kind == "" {
		return id.Name
	}
	_, name, _ := strings.Cut(id.Target(), ":")
	return name
}

const maxRecorded = 512 // bytes of a name that an agent chose

// end hands the call to the record.
func (b *recorded) end(d *definition, outcome string, result json.RawMessage) {
	if b.to == nil {
		return
	}
	if d != nil {
		b.entry.Hash = d.hash.String()
	}
	b.entry.Time, b.entry.Micros = b.at.UTC(), max(time.Since(b.at).Microseconds(), 1)
	b.entry.Outcome, b.entry.Received = outcome, len(result)
	b.to(b.entry)
}

// outcomeOf tells what became of a call. What was sent is ok, failed or
// cancelled: so many the upstream counts too.
func outcomeOf(ctx context.Context, res upstream.Result, err error) string {
	switch {
	case errors.Is(err, upstream.ErrChanged):
		return audit.Refused
	case err != nil && !res.Sent:
		return audit.Unsent
	case ctx.Err() != nil:
		return audit.Cancelled
	case err != nil || res.IsError:
		return audit.Failed
	}
	return audit.OK
}
