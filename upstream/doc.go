// Package upstream keeps the connections to the MCP servers behind the proxy.
//
// A [Spec] says what one server needs to run. A [Pool] keeps the running set
// equal to a list of specs: it dials each server through the [Dialer] of its
// transport, initializes it, lists its tools and keeps that listing fresh. One
// goroutine per server drives its [State]; everyone else reads immutable
// snapshots, so that a call never waits for a listing, a reconnect of another
// server or a lock shared between servers.
//
// Everything goes over mcp-go's transports as raw JSON: a tool's definition and
// a call's result keep the bytes that the server sent. mcp-go's typed client
// would drop unknown schema keywords and content types and round integers.
//
// A call is sent at most once. An error that wraps [ErrLost] leaves open
// whether the server ran it.
package upstream
