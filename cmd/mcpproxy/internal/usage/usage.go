// Package usage counts what agents do: searches, calls and listings by the hour,
// and calls, errors and latency by server.
//
// Counting takes no lock and writes to no disk. [Usage.Saved] and [Usage.Load]
// carry the counts over a restart. Nothing that an agent said is kept: names are
// those of servers whose tool was found, and there is a most of them.
package usage

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	keptHours  = 48   // enough for the last day and for today in any zone
	maxServers = 1024 // that are told apart
)

// Usage counts. Safe for concurrent use.
type Usage struct {
	now      func() time.Time
	hours    [keptHours]atomic.Pointer[hour] // by number modulo keptHours
	servers  sync.Map                        // name -> *server
	known    atomic.Int64                    // servers
	searches latency
}

// hour is one hour that had anything; number counts hours since 1970.
type hour struct {
	number                    int64
	listings, searches, found atomic.Int64 // found: bytes that searches answered
	calls, failed, refused    atomic.Int64
}

type server struct {
	calls, failed atomic.Int64
	last          atomic.Int64 // unix seconds
	took          latency
}

// New returns a Usage without counts.
func New() *Usage { return &Usage{now: time.Now} }

// current returns the hour of now.
func (u *Usage) current() *hour {
	number := hourOf(u.now())
	slot := &u.hours[number%keptHours]
	for {
		h := slot.Load()
		if h != nil && h.number == number {
			return h
		}
		fresh := &hour{number: number}
		if slot.CompareAndSwap(h, fresh) {
			return fresh
		}
	}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// Listed counts an agent that asked for the menu of tools.
func (u *Usage) Listed() { u.current().listings.Add(1) }

// Searched counts a search that answered so many bytes.
func (u *Usage) Searched(took time.Duration, bytes int) {
	h := u.current()
	h.searches.Add(1)
	h.found.Add(int64(bytes))
	u.searches.add(took)
}

// Refused counts a call that was not sent.
func (u *Usage) Refused() { u.current().refused.Add(1) }

// Called counts a call of a server's tool; took is zero for one that did not
// reach it.
func (u *Usage) Called(name string, took time.Duration, failed bool) {
	h, s := u.current(), u.server(name)
	h.calls.Add(1)
	if failed {
		h.failed.Add(1)
	}
	if s == nil {
		return
	}
	s.calls.Add(1)
	if failed {
		s.failed.Add(1)
	}
	s.last.Store(u.now().Unix())
	if took > 0 {
		s.took.add(took)
	}
}

// server returns the counts of a name, nil if there are too many names.
func (u *Usage) server(name string) *server {
	if s, ok := u.servers.Load(name); ok {
		return s.(*server)
	}
	if u.known.Load() >= maxServers {
		return nil
	}
	s, there := u.servers.LoadOrStore(name, new(server))
	if !there {
		u.known.Add(1)
	}
	return s.(*server)
}

// Forget drops the counts of servers that are not among names.
func (u *Usage) Forget(names map[string]bool) {
	for name := range u.Servers() {
		if !names[name] {
			if _, there := u.servers.LoadAndDelete(name); there {
				u.known.Add(-1)
			}
		}
	}
}

// Hour is what happened in one hour.
type Hour struct {
	Start              time.Time
	Listings, Searches int64
	Found              int64 // bytes that searches answered
	Calls, Failed      int64 // of servers' tools
	Refused            int64
}

// Hours returns the last n hours, at most 48, oldest first; the last one is not
// over.
func (u *Usage) Hours(n int) []Hour {
	last := hourOf(u.now())
	list := make([]Hour, 0, n)
	for number := last - int64(min(n, keptHours)) + 1; number <= last; number++ {
		one := Hour{Start: time.Unix(number*3600, 0).UTC()}
		if h := u.hours[number%keptHours].Load(); h != nil && h.number == number {
			one.Listings, one.Searches, one.Found = h.listings.Load(), h.searches.Load(), h.found.Load()
			one.Calls, one.Failed, one.Refused = h.calls.Load(), h.failed.Load(), h.refused.Load()
		}
		list = append(list, one)
	}
	return list
}

// Today adds up the hours since the day began in the zone of t.
func (u *Usage) Today(zone *time.Location) (sum Hour) {
	y, m, d := u.now().In(zone).Date()
	sum.Start = time.Date(y, m, d, 0, 0, 0, 0, zone)
	for _, h := range u.Hours(keptHours) {
		if h.Start.Before(sum.Start) {
			continue
		}
		sum.Listings += h.Listings
		sum.Searches += h.Searches
		sum.Found += h.Found
		sum.Calls += h.Calls
		sum.Failed += h.Failed
		sum.Refused += h.Refused
	}
	return sum
}

// Server is what was called at one server since it is counted.
type Server struct {
	Calls, Failed     int64
	Last              time.Time
	Mean, Median, P95 time.Duration
}

// Servers returns every server that was called.
func (u *Usage) Servers() map[string]Server {
	m := map[string]Server{}
	u.servers.Range(func(name, value any) bool {
		s := value.(*server)
		m[name.(string)] = Server{
			Calls: s.calls.Load(), Failed: s.failed.Load(), Last: time.Unix(s.last.Load(), 0).UTC(),
			Mean: s.took.mean(), Median: s.took.quantile(0.5), P95: s.took.quantile(0.95),
		}
		return true
	})
	return m
}

// SearchTime returns the median and the 95th percentile of searches since the
// start.
func (u *Usage) SearchTime() (median, p95 time.Duration) {
	return u.searches.quantile(0.5), u.searches.quantile(0.95)
}

// Saved is what survives a restart.
type Saved struct {
	Hours   []Hour           `json:"hours"` // those that had anything
	Servers map[string]Count `json:"servers"`
}

// Count is the part of a [Server] that survives: latencies begin anew.
type Count struct {
	Calls, Failed int64
	Last          time.Time
}

// Saved returns the counts of now.
func (u *Usage) Saved() Saved {
	s := Saved{Servers: map[string]Count{}}
	for _, h := range u.Hours(keptHours) {
		if h != (Hour{Start: h.Start}) {
			s.Hours = append(s.Hours, h)
		}
	}
	for name, c := range u.Servers() {
		s.Servers[name] = Count{c.Calls, c.Failed, c.Last}
	}
	return s
}

// Load adds the counts of an earlier run. Call it before anything is counted.
func (u *Usage) Load(s Saved) {
	last := hourOf(u.now())
	for _, h := range s.Hours {
		number := hourOf(h.Start)
		if number > last || number <= last-keptHours {
			continue
		}
		old := &hour{number: number}
		old.listings.Store(h.Listings)
		old.searches.Store(h.Searches)
		old.found.Store(h.Found)
		old.calls.Store(h.Calls)
		old.failed.Store(h.Failed)
		old.refused.Store(h.Refused)
		u.hours[number%keptHours].Store(old)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Servers)) {
		if sv := u.server(name); sv != nil {
			c := s.Servers[name]
			sv.calls.Store(c.Calls)
			sv.failed.Store(c.Failed)
			sv.last.Store(c.Last.Unix())
		}
	}
}
