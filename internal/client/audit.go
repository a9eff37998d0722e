package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditEntry is one line of the record; see audit.Entry.
type AuditEntry struct {
	Seq       uint64          `json:"seq"`
	Time      time.Time       `json:"time"`
	What      string          `json:"what"`
	Actor     string          `json:"actor"`
	Server    string          `json:"server,omitempty"`
	Tool      string          `json:"tool,omitempty"`
	Hash      string          `json:"hash,omitempty"`
	Request   string          `json:"request,omitempty"`
	Session   string          `json:"session,omitempty"`
	Outcome   string          `json:"outcome,omitempty"`
	Micros    int64           `json:"duration_us,omitempty"`
	Sent      int             `json:"sent_bytes,omitempty"`
	Received  int             `json:"received_bytes,omitempty"`
	Detail    string          `json:"detail,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// AuditFilter is the query of GET /api/v1/audit; an empty field chooses all.
type AuditFilter struct {
	What, Server, Tool, Outcome string
	Since                       time.Time
	After                       uint64        // only entries with a higher Seq
	Limit                       int           // newest of them; 0 means all
	Wait                        time.Duration // for the first one, in whole seconds; 0 does not wait
}

// Audit returns entries of the record, oldest first.
func (c *Client) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	q := url.Values{}
	for name, value := range map[string]string{"what": f.What, "server": f.Server, "tool": f.Tool, "outcome": f.Outcome} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339))
	}
	q.Set("after", strconv.FormatUint(f.After, 10))
	q.Set("limit", strconv.Itoa(f.Limit))
	q.Set("wait", strconv.Itoa(int(f.Wait/time.Second)))
	return ask[[]AuditEntry](ctx, c, http.MethodGet, "/api/v1/audit?"+q.Encode(), nil)
}
