package upstream

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxEventLines is how many lines one event of a stream may have: mcp-go joins
// them in quadratic time.
const maxEventLines = 4096

// eventMeter bounds each event of an event stream, which an empty line ends.
type eventMeter struct {
	// once ends the stream after the first answer: for each further one of a
	// request, mcp-go would keep a goroutine for ever.
	once bool

	done  bool   // the answer has passed
	event []byte // of the event so far, if once
	size  int    // bytes of the event
	lines int    // of the event
	line  int    // bytes of the line, carriage returns aside
}

func (m *eventMeter) take(p []byte) (int, bool) {
	for taken := 0; taken < len(p); {
		if m.done {
			return taken, true
		}
		part := p[taken:]
		i := bytes.IndexByte(part, '\n')
		if i >= 0 {
			part = part[:i+1]
		}
		taken += len(part)
		m.size += len(part)
		m.line += len(part) - bytes.Count(part, []byte{'\r'})
		if m.size > maxMessage {
			return 0, false
		}
		if m.once {
			m.event = append(m.event, part...)
		}
		if i < 0 {
			break
		}
		if m.endLine(); m.lines > maxEventLines {
			return 0, false
		}
	}
	return len(p), true
}

// endLine counts the end of a line, which may be that of the event.
func (m *eventMeter) endLine() {
	m.lines++
	if m.line == 1 { // the newline alone
		m.done = m.once && isAnswer(m.event)
		m.event, m.size, m.lines = m.event[:0], 0, 0
		if cap(m.event) > maxErrorBody {
			m.event = nil
		}
	}
	m.line = 0
}

// isAnswer reports whether mcp-go takes the event for a JSON-RPC response: it
// has an id and no method.
func isAnswer(event []byte) bool {
	var data []byte
	for line := range bytes.Lines(event) {
		if text, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(data, text...)
		}
	}
	var message map[string]json.RawMessage
	if json.Unmarshal(data, &message) != nil {
		return false
	}
	if _, request := message["method"]; request {
		return false
	}
	for key, id := range message {
		if strings.EqualFold(key, "id") && string(id) != "null" {
			return true
		}
	}
	return false
}
