package app

import (
	"context"

	"go.uber.org/zap"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
)

// Shutdown begins the end of a serving instance.
func (a *App) Shutdown(ctx context.Context) error {
	stop := a.stop.Load()
	if stop == nil {
		return &client.Error{Code: client.CodeUnavailable, Message: "no instance is running"}
	}
	a.log.Info("asked to stop", zap.String("by", audit.ActorOf(ctx)))
	(*stop)()
	return nil
}
