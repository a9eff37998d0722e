package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"mcpproxy/internal/escape"
)

// Errors of the [Pool], grouped by moment.
var (
	// ErrClosed is returned by everything after Close.
	ErrClosed = errors.New("the pool is closed")

	// ErrUnknown is wrapped when no server has the given name.
	ErrUnknown = errors.New("no such server")
	// ErrNotListed is wrapped by Tools before the first complete listing.
	ErrNotListed = errors.New("not listed yet")
	// ErrListCap is wrapped when a listing is longer than the pool follows:
	// 1,000 pages, 50,000 tools, 64 MiB, 60 s, or a cursor that comes twice.
	ErrListCap = errors.New("listing over its limits")

	// ErrArguments is wrapped when the arguments of a call are not a JSON object.
	ErrArguments = errors.New("arguments must be a JSON object")
	// ErrUnavailable is wrapped when a call cannot be sent: the server is
	// disabled, held, failed, needs a login or cannot be reached.
	ErrUnavailable = errors.New("not available")
	// ErrChanged is wrapped when the tool is not the one of Call.Want.
	ErrChanged = errors.New("the definition is not the one wanted")
	// ErrLost is wrapped when the connection broke off before the answer came.
	// The server may or may not have run the call.
	ErrLost = errors.New("connection lost")
)

// RPCError is the JSON-RPC error that a server answered with.
type RPCError struct {
	Code    int
	Message string          // the server's words
	Data    json.RawMessage // nil if absent
}

// maxQuoted is how many characters of foreign text an error has.
const maxQuoted = 400

// Error returns the server's words, shortened and without control characters.
func (e *RPCError) Error() string {
	return fmt.Sprintf("%s (JSON-RPC error %d)", escape.Short(e.Message, maxQuoted), e.Code)
}

// plain returns err for people: without the URL, which may hold a secret, and
// without a long foreign body. errors.Is and As work on it as on err.
func plain(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok {
		text = strings.ReplaceAll(text, u.Error(), u.Err.Error())
	}
	return &plainError{text: escape.Short(text, maxQuoted), err: err}
}
