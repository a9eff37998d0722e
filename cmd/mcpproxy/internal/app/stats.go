package app

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"mcpproxy/cmd/mcpproxy/internal/usage"
	"mcpproxy/internal/audit"
	"mcpproxy/internal/client"
	"mcpproxy/internal/store"
)

const (
	bytesPerToken = 4 // of JSON in English, roughly what tokenizers make of it
	usageKey      = "counts"
	saveUsage     = time.Minute
)

// meter passes what the proxy does on to who counts it. It implements
// [proxy.Meter].
type meter struct{ app *App }

func (m meter) Listed() {
	m.app.usage.Listed()
	m.app.metrics.Listed()
}

func (m meter) Searched(took time.Duration, bytes int) {
	m.app.usage.Searched(took, bytes)
	m.app.metrics.Searched(took)
}

func (m meter) Truncated() { m.app.metrics.Truncated() }

// recordCall puts a call on the record and counts it.
func (a *App) recordCall(e audit.Entry) {
	a.audit.Record(e)
	if e.What != audit.Call {
		return
	}
	took, name := time.Duration(e.Micros)*time.Microsecond, e.Server
	if e.Hash == "" {
		name = "" // no such tool: the agent chose the name
	}
	switch e.Outcome {
	case audit.Refused:
		a.metrics.Called(name, e.Outcome, 0)
		a.usage.Refused()
	case audit.Unsent: // its time is that of the way, not of the server
		a.metrics.Called(name, e.Outcome, 0)
		a.usage.Called(name, 0, true)
	default:
		a.metrics.Called(name, e.Outcome, took)
		a.usage.Called(name, took, e.Outcome == audit.Failed)
	}
}

// Stats tells what agents did and what the proxy saved them.
func (a *App) Stats(context.Context) (client.Stats, error) {
	var s client.Stats
	bytes := 0
	for t := range a.index.All() {
		s.Tools++
		bytes += len(t.Raw)
	}
	today := a.usage.Today(time.Local)
	s.TokensAll, s.TokensMenu = int64(bytes/bytesPerToken), int64(a.proxy.MenuSize()/bytesPerToken)
	s.TokensSaved = max(s.TokensAll-s.TokensMenu, 0)
	s.SavedToday = max(today.Listings*s.TokensSaved-today.Found/bytesPerToken, 0)
	s.ListingsToday, s.SearchesToday = today.Listings, today.Searches
	s.CallsToday, s.FailedToday, s.RefusedToday = today.Calls, today.Failed, today.Refused
	median, p95 := a.usage.SearchTime()
	s.SearchP50MS, s.SearchP95MS = inMS(median), inMS(p95)
	for _, h := range a.usage.Hours(24) {
		s.Hours = append(s.Hours, client.HourStats{Hour: h.Start, Searches: h.Searches, Calls: h.Calls, Failed: h.Failed, Refused: h.Refused})
	}
	servers := a.usage.Servers()
	s.Servers = make([]client.ServerStats, 0, len(servers))
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		c := servers[name]
		s.Servers = append(s.Servers, client.ServerStats{
			Name: name, Calls: c.Calls, Failed: c.Failed, Last: c.Last, MeanMS: inMS(c.Mean), P50MS: inMS(c.Median), P95MS: inMS(c.P95),
		})
	}
	return s, nil
}

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// openUsage loads the counts of earlier runs. Damaged ones begin anew.
func (a *App) openUsage() (err error) {
	a.usage = usage.New()
	if a.counts, err = store.OpenBucket[usage.Saved](a.db, "usage"); err != nil {
		return err
	}
	saved, err := a.counts.Get(usageKey)
	switch {
	case err == nil:
		a.usage.Load(saved)
	case !errors.Is(err, store.ErrNotFound):
		a.log.Warn("counts of earlier runs cannot be read", zap.Error(err))
	}
	return nil
}

// keepUsage saves the counts every minute while something is counted, and at the
// end. Servers that are not configured any more are forgotten.
func (a *App) keepUsage(ctx context.Context) error {
	tick := time.NewTicker(saveUsage)
	defer tick.Stop()
	last := a.usage.Saved()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		configured := map[string]bool{}
		for _, s := range a.inForce.Load().Servers {
			configured[s.Name] = true
		}
		a.usage.Forget(configured)
		a.metrics.Forget(configured)
		if now := a.usage.Saved(); !reflect.DeepEqual(now, last) {
			if err := a.counts.Put(usageKey, now); err != nil {
				a.log.Warn("counts are not kept", zap.Error(err))
			}
			last = now
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}
