// Package oauth logs in at remote MCP servers that ask for it (MCP authorization,
// revision 2025-11-25: OAuth 2.1 with RFC 9728, 8414, 7591, 8707, 9207 and 8252).
//
//	401 -> Refused -> discover -> register -> browser -> loopback callback -> exchange
//	request -> Token -> refresh before expiry, one for all who wait
//
// [Keeper] has one account per configured server: its client registration and its
// tokens, by issuer. Everything that a server or an authorization server says is
// foreign: each URL goes through guard before it is fetched or opened, bodies and
// times are bounded, and no token, code or foreign text enters an error or a log.
//
// The flow is our own, not mcp-go's: that one guesses endpoints where metadata
// are missing, does not try the root metadata, ignores scopes of challenge and
// metadata, does not check iss, forgets a login whenever a refresh fails, and
// follows URLs to any address.
package oauth
