package proxy

import (
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpproxy/internal/escape"
)

// maxProgress is how many progress notifications wait for a slow client before
// the oldest are dropped.
const maxProgress = 64

// progress carries an upstream's progress to the call it belongs to, under the
// client's own token. Nothing runs before the first notification.
type progress struct {
	reply *reply
	token json.RawMessage

	mu      sync.Mutex
	waiting [][]byte
	running bool
	closed  bool
	sender  sync.WaitGroup
}

// passedOn returns what an upstream is given of the request: the meta of the
// client, and where progress goes, nil if the client takes none. Call done after
// the answer.
func (r *reply) passedOn() (meta json.RawMessage, send func(params json.RawMessage), done func()) {
	meta, token := requestMeta(r.message)
	if token == nil || !r.accepts {
		return meta, nil, func() {}
	}
	g := &progress{reply: r, token: token}
	return meta, g.send, g.close
}

// send takes the params of one notifications/progress. It never blocks.
func (g *progress) send(params json.RawMessage) {
	list, err := members(params)
	if err != nil {
		return
	}
	frame := notification("notifications/progress", object(set(list, "progressToken", g.token)))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	if len(g.waiting) == maxProgress {
		g.waiting = g.waiting[1:]
	}
	g.waiting = append(g.waiting, frame)
	if !g.running {
		g.running = true
		g.sender.Go(g.drain)
	}
}

func (g *progress) drain() {
	for {
		g.mu.Lock()
		batch := g.waiting
		g.waiting = nil
		if len(batch) == 0 {
			g.running = false
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		for _, frame := range batch {
			if g.reply.notify(frame) != nil {
				break // the client is gone; the call's context ends with it
			}
		}
	}
}

// close returns once everything sent so far was written. What comes later is
// dropped.
func (g *progress) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.sender.Wait()
}

func notification(method string, params json.RawMessage) []byte {
	frame := make([]byte, 0, len(params)+len(method)+40)
	frame = append(frame, `{"jsonrpc":"2.0","method":"`...)
	frame = append(frame, method...)
	frame = append(frame, `","params":`...)
	frame = append(frame, oneLine(params)...)
	return append(frame, '}')
}

// logFrame labels an upstream's log message with the server's name. ok is
// false for params that are not those of notifications/message.
func logFrame(server string, params json.RawMessage) (frame []byte, level mcp.LoggingLevel, ok bool) {
	list, err := members(params)
	if err != nil || json.Unmarshal(get(list, "level"), &level) != nil || get(list, "data") == nil {
		return nil, "", false
	}
	name := server
	var logger string
	if json.Unmarshal(get(list, "logger"), &logger) == nil && logger != "" {
		name += "/" + escape.Clip(logger, 100)
	}
	list = set(list, "logger", quote(name))
	return notification("notifications/message", object(list)), level, true
}
