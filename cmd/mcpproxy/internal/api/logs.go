package api

import (
	"context"
	"net/http"
	"time"

	"mcpproxy/internal/client"
)

const maxLogLines = 10_000

// serverLogs answers the end of a server's own log, or follows it.
func (a *API) serverLogs(w http.ResponseWriter, r *http.Request) {
	lines, err := number(r, "lines", 50, maxLogLines)
	if err != nil {
		a.answer(w, r, nil, err)
		return
	}
	if r.URL.Query().Get("follow") == "true" {
		a.followLogs(w, r, lines)
		return
	}
	v, err := a.opt.Service.Logs(r.Context(), r.PathValue("name"), lines)
	a.answer(w, r, client.Logs{Lines: v}, err)
}

// followLogs streams the log as events until the client goes, its session ends
// or the program stops.
func (a *API) followLogs(w http.ResponseWriter, r *http.Request, lines int) {
	name := r.PathValue("name")
	if _, err := a.opt.Service.Server(r.Context(), name); err != nil {
		a.answer(w, r, nil, err)
		return
	}
	if !a.opt.Events.enter() {
		a.answer(w, r, nil, tooManyStreams())
		return
	}
	defer a.opt.Events.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	out := newSSE(w)
	said := make(chan string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.opt.Service.FollowLogs(ctx, name, lines, func(line string) error {
			select {
			case said <- line:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() { cancel(); <-done }()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for out.err == nil {
		select {
		case line := <-said:
			out.send("", client.LogLine{Line: line})
		case <-beat.C:
			if out.ping(); !a.present(visitorIn(r)) {
				return
			}
		case <-done:
			return
		}
	}
}
