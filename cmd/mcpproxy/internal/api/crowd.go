package api

import (
	"net"
	"net/http"
	"sync"
)

// crowd bounds the connections of a listener without making anybody wait for
// those that do nothing. When it is full, the connection that has been waiting
// the longest for its first request gives way to a new one, else the one that
// was idle the longest between two. So half-open connections, however many,
// crowd out each other and nobody who has a request. The zero value of all but
// most is ready.
type crowd struct {
	most int

	mu      sync.Mutex
	all     map[net.Conn]http.ConnState
	turn    uint64
	waiting map[net.Conn]uint64 // new or idle, since which turn
}

// listener accepts connections within the bounds of c.
func (c *crowd) listener(l net.Listener) net.Listener { return &crowdListener{l, c} }

type crowdListener struct {
	net.Listener
	crowd *crowd
}

func (l *crowdListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.crowd.enter(conn) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// enter makes room for conn, unless every connection has a request under way.
func (c *crowd) enter(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all, c.waiting = map[net.Conn]http.ConnState{}, map[net.Conn]uint64{}
	}
	if len(c.all) >= c.most && !c.yield(http.StateNew) && !c.yield(http.StateIdle) {
		return false
	}
	c.turn++
	c.all[conn], c.waiting[conn] = http.StateNew, c.turn
	return true
}

// yield closes the connection that is in this state since the longest. The
// caller holds mu.
func (c *crowd) yield(state http.ConnState) bool {
	var longest net.Conn
	for conn, turn := range c.waiting {
		if c.all[conn] == state && (longest == nil || turn < c.waiting[longest]) {
			longest = conn
		}
	}
	if longest == nil {
		return false
	}
	delete(c.all, longest)
	delete(c.waiting, longest)
	_ = longest.Close()
	return true
}

// state follows a connection; it is the server's ConnState hook.
func (c *crowd) state(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, inside := c.all[conn]; !inside {
		return // it had to go
	}
	delete(c.waiting, conn)
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.all, conn)
		return
	case http.StateNew, http.StateIdle:
		c.turn++
		c.waiting[conn] = c.turn
	}
	c.all[conn] = state
}
