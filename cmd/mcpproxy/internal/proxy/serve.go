package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// heartbeat keeps an idle GET stream from being cut by what lies between.
const heartbeat = 25 * time.Second

// streams counts the long-lived responses, so that Close can end them and wait.
type streams struct {
	done chan struct{} // closed by close

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// open reports whether one more may start; ended must follow if it may.
func (s *streams) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

func (s *streams) ended() { s.running.Done() }

// close returns a channel that is closed once the last one ended.
func (s *streams) close() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	all := make(chan struct{})
	go func() { s.running.Wait(); close(all) }()
	return all
}

// serve routes one request of the endpoint: POST to mcp-go, GET and DELETE of
// clients with sessions here.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	modern := mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
	switch {
	case r.Method == http.MethodPost:
		p.servePost(w, r)
	case r.Method == http.MethodGet && !modern:
		p.serveStream(w, r)
	case r.Method == http.MethodDelete && !modern:
		p.serveDelete(w, r)
	default:
		p.http.ServeHTTP(w, r)
	}
}

func (p *Proxy) servePost(w http.ResponseWriter, r *http.Request) {
	rep := &reply{ResponseWriter: w, accepts: strings.Contains(r.Header.Get("Accept"), "text/event-stream")}
	if id := r.Header.Get(server.HeaderKeySessionID); id != "" {
		rep.session = p.sessions.find(id)
	}
	ctx := withReply(r.Context(), rep)
	if r.Header.Get(mcp.HeaderMethod) == string(mcp.MethodSubscriptionsListen) && p.streams.open() {
		defer p.streams.ended()
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-p.streams.done:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	p.http.ServeHTTP(rep, r.WithContext(ctx))
}

// owner returns the session that a GET or DELETE names, after answering the
// request itself if there is none.
func (p *Proxy) owner(w http.ResponseWriter, r *http.Request) *session {
	if v := r.Header.Get(mcp.HeaderProtocolVersion); v != "" && !mcp.IsValidProtocolVersion(v) {
		http.Error(w, "unsupported protocol version", http.StatusBadRequest)
		return nil
	}
	id := r.Header.Get(server.HeaderKeySessionID)
	if id == "" {
		http.Error(w, "this endpoint speaks MCP: start with a POST of initialize, then name the session in "+server.HeaderKeySessionID, http.StatusBadRequest)
		return nil
	}
	s := p.sessions.find(id)
	if s == nil {
		http.Error(w, "unknown session: initialize again", http.StatusNotFound)
	}
	return s
}

func (p *Proxy) serveDelete(w http.ResponseWriter, r *http.Request) {
	s := p.owner(w, r)
	if s == nil {
		return
	}
	p.sessions.drop(s.id)
	p.http.ServeHTTP(w, r) // frees mcp-go's state
}

// serveStream serves the standalone GET stream until the client leaves, the
// session ends or the proxy closes.
func (p *Proxy) serveStream(w http.ResponseWriter, r *http.Request) {
	s := p.owner(w, r)
	if s == nil {
		return
	}
	if !p.streams.open() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	defer p.streams.ended()
	conn := s.stream.attach()
	defer s.stream.detach(conn)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		return
	}
	if number, err := strconv.ParseUint(r.Header.Get(mcp.HeaderLastEventID), 10, 64); err == nil {
		for _, e := range s.stream.after(number) {
			if writeEvent(w, e) != nil {
				return
			}
		}
	}
	p.pump(w, r, s.stream, conn)
	s.seen.Store(p.sessions.now().Unix())
}

func (p *Proxy) pump(w http.ResponseWriter, r *http.Request, s *stream, conn uint64) {
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for r.Context().Err() == nil {
		e, ok, wake, open := s.take(conn)
		var err error
		switch {
		case ok:
			err = writeEvent(w, e)
		case !open:
			return
		default:
			if err = out.Flush(); err != nil {
				return
			}
			select {
			case <-wake:
				continue
			case <-beat.C:
				_, err = w.Write([]byte(": alive\n\n"))
			case <-r.Context().Done():
				return
			case <-p.streams.done:
				return
			}
		}
		if err != nil {
			s.giveBack(e)
			return
		}
	}
}

func writeEvent(w http.ResponseWriter, e event) error {
	_, err := fmt.Fprintf(w, "id: %d\nevent: message\ndata: %s\n\n", e.number, e.frame)
	return err
}
