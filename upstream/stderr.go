package upstream

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits on what a child's stderr may cost.
const (
	stderrLine  = 8 << 10   // bytes of one line; the rest of it is dropped
	stderrTail  = 4 << 10   // bytes kept for whoever asks why the child ended
	stderrRate  = 64 << 10  // bytes per second that reach the log
	stderrBurst = 512 << 10 // bytes that may come at once
)

// stderrLog copies a child's stderr line by line to sink, within the limits,
// and keeps the tail. Whatever comes is read, so the child never blocks.
type stderrLog struct {
	sink    io.WriteCloser // nil discards
	limiter *rate.Limiter
	now     func() time.Time
	line    []byte // the line being read, at most stderrLine long
	dropped int    // bytes since the last line that reached sink

	mu   sync.Mutex
	tail []byte
}

func newStderrLog(sink io.WriteCloser) *stderrLog {
	return &stderrLog{sink: sink, limiter: rate.NewLimiter(stderrRate, stderrBurst), now: time.Now}
}

// copyFrom reads r to its end, then closes the sink.
func (s *stderrLog) copyFrom(r io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		s.take(buf[:n])
		if err != nil {
			break
		}
	}
	s.flush()
	s.reportDropped()
	if s.sink != nil {
		_ = s.sink.Close()
	}
}

func (s *stderrLog) take(p []byte) {
	s.remember(p)
	for _, c := range p {
		switch {
		case c == '\n':
			s.flush()
		case len(s.line) < stderrLine:
			s.line = append(s.line, c)
		default:
			s.dropped++
		}
	}
}

// flush hands the line on if the rate allows it.
func (s *stderrLog) flush() {
	n := len(s.line)
	if n == 0 {
		return
	}
	if !s.limiter.AllowN(s.now(), n+1) {
		s.dropped += n + 1
	} else {
		s.reportDropped()
		s.write(append(s.line, '\n'))
	}
	s.line = s.line[:0]
}

func (s *stderrLog) reportDropped() {
	if s.dropped > 0 {
		s.write(fmt.Appendf(nil, "[mcpproxy left out %d bytes of stderr]\n", s.dropped))
		s.dropped = 0
	}
}

func (s *stderrLog) write(line []byte) {
	if s.sink != nil {
		_, _ = s.sink.Write(line) // a full disk must not stop the server
	}
}

func (s *stderrLog) remember(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) > stderrTail {
		p = p[len(p)-stderrTail:]
	}
	if over := len(s.tail) + len(p) - stderrTail; over > 0 {
		s.tail = append(s.tail[:0], s.tail[over:]...)
	}
	s.tail = append(s.tail, p...)
}

// last returns the end of all that was written.
func (s *stderrLog) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.tail)
}
