package api

import (
	"net/http"
	"strconv"
	"time"

	"mcpproxy/internal/client"
)

const (
	maxAuditEntries = 100_000
	maxAuditWait    = 60 // seconds
)

func (a *API) audit(r *http.Request) ([]client.AuditEntry, error) {
	f, err := auditFilter(r)
	if err != nil {
		return nil, err
	}
	return a.opt.Service.Audit(r.Context(), f)
}

func auditFilter(r *http.Request) (client.AuditFilter, error) {
	q := r.URL.Query()
	f := client.AuditFilter{What: q.Get("what"), Server: q.Get("server"), Tool: q.Get("tool"), Outcome: q.Get("outcome")}
	limit, err := number(r, "limit", 100, maxAuditEntries)
	if err != nil {
		return f, err
	}
	wait, err := number(r, "wait", 0, maxAuditWait)
	if err != nil {
		return f, err
	}
	f.Limit, f.Wait = limit, time.Duration(wait)*time.Second
	if text := q.Get("after"); text != "" {
		if f.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return f, &client.Error{Code: client.CodeInvalid, Message: "after must be the seq of an entry"}
		}
	}
	if text := q.Get("since"); text != "" {
		if f.Since, err = time.Parse(time.RFC3339, text); err != nil {
			return f, &client.Error{Code: client.CodeInvalid, Message: "since must be a time such as 2026-01-31T12:00:00Z"}
		}
	}
	return f, nil
}
