// Package config reads, checks, edits and watches mcp_config.json: JSON with
// comments and trailing commas, its servers as an array or as a map.
//
// [Load] and [Parse] report every fault at once, each with its path and line,
// and never quote a value: the file may hold tokens. Unknown keys are warnings.
// A [File] changes only the keys it is asked to and keeps comments, order and
// layout. Placeholders such as ${keyring:name} are kept as written; who starts a
// server expands them.
package config
