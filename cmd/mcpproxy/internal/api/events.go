package api

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mcpproxy/internal/client"
)

const (
	maxTopics  = 4096 // that are told apart; about the oldest of more, everybody looks at all
	maxStreams = 128  // of events, at once
)

// Events tells pages and trays what to look at again. It keeps, for each topic,
// the number of its latest event: a client that was slow or away gets every
// topic that changed since, once, and needs no buffer of its own. Publish never
// blocks. Safe for concurrent use.
type Events struct {
	epoch string // of this run: numbers of another one mean nothing

	mu      sync.Mutex
	seq     uint64
	latest  map[client.Event]uint64 // by topic: an event without ID
	floor   uint64                  // the highest number that was forgotten
	grown   chan struct{}           // closed and replaced with each event
	streams int
}

// NewEvents returns Events without any.
func NewEvents() *Events {
	return &Events{epoch: rand.Text()[:8], latest: map[client.Event]uint64{}, grown: make(chan struct{})}
}

// Publish says that what name of this kind is may have changed.
func (e *Events) Publish(kind client.EventKind, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	topic := client.Event{Kind: kind, Name: name}
	if _, known := e.latest[topic]; !known && len(e.latest) >= maxTopics {
		e.forgetOldest()
	}
	e.seq++
	e.latest[topic] = e.seq
	close(e.grown)
	e.grown = make(chan struct{})
}

// forgetOldest drops one topic. The caller holds mu.
func (e *Events) forgetOldest() {
	oldest, at := client.Event{}, e.seq+1
	for topic, seq := range e.latest {
		if seq < at {
			oldest, at = topic, seq
		}
	}
	delete(e.latest, oldest)
	e.floor = at
}

// since returns what changed after number after, oldest first, with its ids, and
// what is closed when there is more. Where that is not known it is one event of
// [client.EventAll].
func (e *Events) since(after uint64) (list []client.Event, last uint64, more <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if after < e.floor {
		return []client.Event{{ID: e.id(e.seq), Kind: client.EventAll}}, e.seq, e.grown
	}
	type numbered struct {
		topic client.Event
		seq   uint64
	}
	var changed []numbered
	for topic, seq := range e.latest {
		if seq > after {
			changed = append(changed, numbered{topic, seq})
		}
	}
	slices.SortFunc(changed, func(x, y numbered) int { return cmp.Compare(x.seq, y.seq) })
	for _, c := range changed {
		c.topic.ID = e.id(c.seq)
		list = append(list, c.topic)
	}
	return list, e.seq, e.grown
}

// resume returns the number that a Last-Event-ID stands for; known is false if it
// is none of this run.
func (e *Events) resume(id string) (seq uint64, known bool) {
	epoch, number, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(number, 10, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil || epoch != e.epoch || seq > e.seq {
		return e.seq, false
	}
	return seq, true
}

func (e *Events) id(seq uint64) string { return fmt.Sprintf("%s-%d", e.epoch, seq) }

// enter counts a stream, unless there are too many.
func (e *Events) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.streams >= maxStreams {
		return false
	}
	e.streams++
	return true
}

func (e *Events) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streams--
}

// events streams what changes until the client goes, its session ends or the
// program stops.
func (a *API) events(w http.ResponseWriter, r *http.Request) {
	ev := a.opt.Events
	if !ev.enter() {
		a.answer(w, r, nil, tooManyStreams())
		return
	}
	defer ev.leave()
	out := newSSE(w)
	at, known := ev.resume(r.Header.Get("Last-Event-ID"))
	if !known {
		out.send(ev.id(at), client.Event{Kind: client.EventAll})
	}
	for out.err == nil {
		var list []client.Event
		var more <-chan struct{}
		list, at, more = ev.since(at)
		for _, e := range list {
			out.send(e.ID, e)
		}
		if out.err == nil && !a.await(r, out, more) {
			return
		}
	}
}

func tooManyStreams() error {
	return &client.Error{Code: client.CodeUnavailable, Message: "too many event streams are open", Hint: "close other tabs of the page"}
}

// await returns true once there is more, and false when the stream must end.
// Meanwhile it keeps the connection alive.
func (a *API) await(r *http.Request, out *sse, more <-chan struct{}) bool {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	pause := time.NewTimer(ssePause)
	defer pause.Stop()
	grown := (<-chan struct{})(nil) // not before the pause is over
	for {
		select {
		case <-pause.C:
			grown = more
		case <-grown:
			return a.present(visitorIn(r))
		case <-beat.C:
			if out.ping(); out.err != nil || !a.present(visitorIn(r)) {
				return false
			}
		case <-r.Context().Done():
			return false
		}
	}
}

// present reports whether the session of a browser that was let in still is one.
func (a *API) present(v visitor) bool { return v.who != browser || a.sessions.alive(v.cookie) }
