package client

import (
	"context"
	"net/http"
	"time"
)

// Stats is the answer of GET /api/v1/stats. Tokens are estimates: four bytes of
// what an agent gets are one.
type Stats struct {
	Tools int `json:"tools"` // that agents can find
	// TokensAll are the definitions of all tools, which every agent would hold
	// without the proxy; TokensMenu is what it holds instead.
	TokensAll  int64 `json:"tokens_all"`
	TokensMenu int64 `json:"tokens_menu"`
	// TokensSaved is what one agent saves at its start: all less the menu.
	TokensSaved int64 `json:"tokens_saved"`
	// SavedToday is TokensSaved for each agent that listed tools since midnight,
	// less what the searches of all answered. Never below zero.
	SavedToday    int64 `json:"saved_today"`
	ListingsToday int64 `json:"listings_today"`
	SearchesToday int64 `json:"searches_today"`
	CallsToday    int64 `json:"calls_today"`
	FailedToday   int64 `json:"failed_today"`  // of the calls: the server, or the way to it
	RefusedToday  int64 `json:"refused_today"` // calls that were not sent
	// SearchP50MS and SearchP95MS are of searches since the start, 0 before any.
	SearchP50MS float64       `json:"search_p50_ms"`
	SearchP95MS float64       `json:"search_p95_ms"`
	Hours       []HourStats   `json:"hours"`   // the last 24, oldest first; the last one is not over
	Servers     []ServerStats `json:"servers"` // that were called, by name
}

// HourStats is what happened in the hour that begins at Hour.
type HourStats struct {
	Hour     time.Time `json:"hour"`
	Searches int64     `json:"searches"`
	Calls    int64     `json:"calls"`
	Failed   int64     `json:"failed"`
	Refused  int64     `json:"refused"`
}

// ServerStats is what was called at one server. Latencies are of this run.
type ServerStats struct {
	Name   string    `json:"name"`
	Calls  int64     `json:"calls"`
	Failed int64     `json:"failed"`
	Last   time.Time `json:"last"`
	MeanMS float64   `json:"mean_ms"`
	P50MS  float64   `json:"p50_ms"`
	P95MS  float64   `json:"p95_ms"`
}

// Stats returns what agents did and what the proxy saved them.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	return ask[Stats](ctx, c, http.MethodGet, "/api/v1/stats", nil)
}
