package api

import (
	"context"
	"errors"
	"testing"

	"mcpproxy/internal/client"
)

func TestLogs_Follow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var lines []string
	err := inMemory(&fake{}).FollowLogs(ctx, "a b", 3, func(line string) {
		if lines = append(lines, line); len(lines) == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(lines) != 3 || lines[0] != "a b 0" || lines[2] != "a b 2" {
		t.Errorf("followed %q, %v", lines, err)
	}
	err = inMemory(&fake{err: &client.Error{Code: "not_found", Message: "no server"}}).FollowLogs(t.Context(), "x", 3, func(string) {})
	var e *client.Error
	if !errors.As(err, &e) || e.Code != "not_found" {
		t.Errorf("of no server: %v", err)
	}
}
