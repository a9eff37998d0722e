// Package upstreamtest provides MCP servers for tests: a scriptable one that
// speaks raw JSON-RPC, so that definitions and results of any shape can be
// served, and thin wrappers around mcp-go's server for HTTP and SSE.
//
// The scriptable [Server] runs in-process behind [Server.Dialer], as a stdio
// child of the test binary through [Command] and [Main], or over streamable
// HTTP through [Server.Handler].
package upstreamtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// Script is what a [Server] does. The zero value serves no tools and echoes
// calls. It survives JSON, so that a child process can have one.
type Script struct {
	Name     string            // serverInfo.name
	Protocol string            // answered to initialize; empty echoes the client's
	Tools    []json.RawMessage // as served by tools/list
	NoTools  bool              // do not announce the tools capability
	PageSize int               // of tools/list; 0 means one page

	Instructions string // of initialize
	Others       Others // what is listed besides tools

	EndlessCursor bool          // each page announces another one
	SameCursor    bool          // each page announces the same cursor
	SlowInit      time.Duration // before initialize is answered
	HangInit      bool          // never answer initialize
	Deaf          bool          // stop reading after initialize
	Garbage       bool          // lines that are no JSON-RPC before each answer
	IgnoreEOF     bool          // stay when stdin closes

	Delay    time.Duration // before a call is answered
	DieAfter int           // the connection ends instead of answering call number n, counted per start
	Progress int           // progress notifications before a call's answer
	History  string        // a file to which each call appends its arguments as one line

	Fault    string // the text of every JSON-RPC error; empty says what is wrong
	FailInit bool   // initialize is answered with an error
	Stderr   string // written to it when a child starts

	Flip    *Flip  // a rug pull
	Journal string // a file to which sessions, listings and calls are appended; see [Journal]. A Flip by session needs it
}

// Names of the calls that a [Server] treats specially, whatever it lists.
const (
	Hang   = "hang"   // never answered
	Die    = "die"    // ends the connection
	Fail   = "fail"   // answered with a JSON-RPC error
	Mutate = "mutate" // sets the tools to those of the arguments {"tools":[…]} and sends list_changed
	Log    = "log"    // sends notifications/message first
	PID    = "pid"    // answers with the process id
)

// Tool returns a definition with a description and one string parameter.
func Tool(name string) json.RawMessage {
	return fmt.Appendf(nil, `{"name":%q,"description":"does %s","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}}`, name, name)
}

// Tools returns n definitions named prefix0, prefix1 and so on.
func Tools(prefix string, n int) []json.RawMessage {
	out := make([]json.RawMessage, n)
	for i := range out {
		out[i] = Tool(fmt.Sprintf("%s%d", prefix, i))
	}
	return out
}

// OddTool is a definition with everything that a typed client loses.
var OddTool = json.RawMessage(`{"name":"odd","x-vendor":{"n":1152921504606846976},"annotations":{"readOnlyHint":true,"x-risk":"low"},` +
	`"inputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":[],` +
	`"oneOf":[{"required":["a"]},{"required":["b"]}],"x-order":[1.0,2e3],"properties":{"a":{"type":"integer","maximum":1152921504606846976}}}}`)

// OddResult is a result with everything that a typed client loses.
var OddResult = json.RawMessage(`{"content":[{"type":"hologram","x":1.0},{"type":"text","text":"t","x-note":1}],` +
	`"structuredContent":{"big":1152921504606846976},"x-extra":null,"_meta":{"k":1e2}}`)
