// Package proxy is the MCP surface that agents see: a handful of tools that
// find and call the tools of every approved upstream.
//
// mcp-go speaks the protocol: versions, initialize, tools/list, dispatch. Three
// things are done here because it would lose something:
//
//   - Results. A tool's answer stays bytes. The handler gives mcp-go a result
//     that holds only a marker, and [reply], the ResponseWriter of that POST,
//     puts the bytes in its place.
//   - Progress. It is written to the stream of the call it belongs to, in order
//     and before the answer, by the same [reply].
//   - The standalone GET stream. Each [session] keeps its own bounded [stream]
//     of events, so that a call never carries another call's notifications and
//     a broken connection can be resumed.
//
// A search or a call takes no lock across another package's work and writes
// nothing to disk.
package proxy
