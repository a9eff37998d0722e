package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// marker stands for a result while mcp-go carries it. Nobody outside can guess
// it, so no foreign text is ever taken for it.
var marker = "mcpproxy-result-" + rand.Text()

// reply is the ResponseWriter of one POST. It puts the result's own bytes in
// the place of the marker, and turns the response into an event stream where
// progress comes before it.
type reply struct {
	http.ResponseWriter
	session *session        // nil without one
	accepts bool            // the client reads event streams
	id      any             // of the JSON-RPC request; set with message
	message json.RawMessage // the JSON-RPC request; set before the handler runs
	result  json.RawMessage // of the call; set by the handler
	failed  bool            // result is a JSON-RPC error

	mu        sync.Mutex
	streaming bool // we made it an event stream
}

type replyKey struct{}

func withReply(ctx context.Context, r *reply) context.Context {
	return context.WithValue(ctx, replyKey{}, r)
}

// replyFrom returns the reply that ctx belongs to, nil outside of our handler.
func replyFrom(ctx context.Context) *reply {
	r, _ := ctx.Value(replyKey{}).(*reply)
	return r
}

// Unwrap lets http.ResponseController reach the connection.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush implements http.Flusher.
func (r *reply) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

// WriteHeader implements http.ResponseWriter. Once the response is our event
// stream its header is out.
func (r *reply) WriteHeader(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.streaming {
		r.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter. mcp-go writes each message with one
// call.
func (r *reply) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts := r.splice(p)
	if r.streaming {
		last := len(parts) - 1
		parts[last] = bytes.TrimRight(parts[last], "\n")
		parts = append([][]byte{[]byte(eventHead)}, parts...)
		parts = append(parts, []byte("\n\n"))
	}
	for _, part := range parts {
		if _, err := r.ResponseWriter.Write(part); err != nil {
			return 0, err
		}
	}
	if r.streaming {
		r.Flush()
	}
	return len(p), nil
}

// splice cuts p around the result object that holds the marker. The result is
// the last member of a JSON-RPC response, and a quote inside an id is escaped,
// so the first `"result":` and the last brace are its borders.
func (r *reply) splice(p []byte) [][]byte {
	const key = `"result":`
	if r.result == nil || !bytes.Contains(p, []byte(marker)) {
		return [][]byte{p}
	}
	from, to := bytes.Index(p, []byte(key)), bytes.LastIndexByte(p, '}')
	if from < 0 || to < from {
		return [][]byte{p}
	}
	if r.failed {
		return [][]byte{p[:from], []byte(`"error":`), r.result, p[to:]}
	}
	return [][]byte{p[:from+len(key)], r.result, p[to:]}
}

const eventHead = "event: message\ndata: "

// notify sends one message on the stream of this POST, before its answer.
func (r *reply) notify(frame []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.streaming {
		r.streaming = true
		r.Header().Set("Content-Type", "text/event-stream")
		r.Header().Set("Cache-Control", "no-cache")
		r.ResponseWriter.WriteHeader(http.StatusOK)
	}
	for _, part := range [][]byte{[]byte(eventHead), frame, []byte("\n\n")} {
		if _, err := r.ResponseWriter.Write(part); err != nil {
			return err
		}
	}
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// answer gives mcp-go the result of a handler: the marker where r puts the
// bytes in its place, else the bytes as far as mcp-go's own types carry them.
func (r *reply) answer(ctx context.Context, raw json.RawMessage) *mcp.CallToolResult {
	if r == nil {
		return typedResult(raw)
	}
	if server.IsModernRequest(ctx) {
		raw = completed(raw)
	}
	r.result = oneLine(raw)
	return &mcp.CallToolResult{Content: []mcp.Content{rawContent{Raw: quote(marker)}}}
}

// give puts raw in the place of the result that mcp-go carries, which must hold
// the marker. Nobody keeps it longer than the session: what is approved changes.
func (r *reply) give(ctx context.Context, raw json.RawMessage) {
	if server.IsModernRequest(ctx) {
		raw = completed(raw)
		if list, err := members(raw); err == nil {
			raw = object(set(set(list, "ttlMs", json.RawMessage("0")), "cacheScope", json.RawMessage(`"private"`)))
		}
	}
	r.result = oneLine(raw)
}

// fail answers with a JSON-RPC error in the place of that result.
func (r *reply) fail(f fault) {
	text, err := json.Marshal(f)
	if err != nil {
		text = []byte(`{"code":-32603,"message":"internal error"}`)
	}
	r.result, r.failed = text, true
}

// completed adds the resultType that 2026-07-28 requires of every result.
func completed(raw json.RawMessage) json.RawMessage {
	list, err := members(raw)
	if err != nil || get(list, "resultType") != nil {
		return raw
	}
	return object(append(list, member{"resultType", json.RawMessage(`"complete"`)}))
}

// rawContent is a content block that keeps its bytes.
type rawContent struct {
	mcp.TextContent
	Raw json.RawMessage
}

// MarshalJSON implements json.Marshaler.
func (c rawContent) MarshalJSON() ([]byte, error) { return c.Raw, nil }

// typedResult is for callers of the mcp-go server that do not come through our
// handler. Unknown top-level keys are lost.
func typedResult(raw json.RawMessage) *mcp.CallToolResult {
	var r struct {
		Meta              *mcp.Meta         `json:"_meta"`
		Content           []json.RawMessage `json:"content"`
		StructuredContent json.RawMessage   `json:"structuredContent"`
		IsError           bool              `json:"isError"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return mcp.NewToolResultError("the answer is not a tool result")
	}
	result := &mcp.CallToolResult{RawStructuredContent: r.StructuredContent, IsError: r.IsError}
	result.Meta = r.Meta
	for _, c := range r.Content {
		result.Content = append(result.Content, rawContent{Raw: c})
	}
	return result
}
