package app

import (
	"context"

	"golang.org/x/sync/errgroup"

	"mcpproxy/internal/client"
	"mcpproxy/internal/event"
)

// followChanges carries what the parts publish to those who look on, until ctx
// ends. The index, the gate's events and reloads publish for themselves.
func (a *App) followChanges(ctx context.Context, g *errgroup.Group) {
	forward := func(kind client.EventKind, feed *event.Feed[string]) {
		changes := feed.Subscribe()
		g.Go(func() error {
			defer changes.Close()
			for {
				server, err := changes.Next(ctx)
				if err != nil {
					return nil // ctx ended
				}
				a.events.Publish(kind, server)
			}
		})
	}
	forward(client.EventServer, a.pool.Changes())
	forward(client.EventQuarantine, a.gate.Changes())
	g.Go(func() error {
		for seq := a.audit.Last(); a.audit.Wait(ctx, seq) == nil; seq = a.audit.Last() {
			a.events.Publish(client.EventAudit, "")
		}
		return nil
	})
}
