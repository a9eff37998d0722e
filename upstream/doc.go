// Package upstream keeps the connections to the MCP servers behind the proxy.
package upstream
