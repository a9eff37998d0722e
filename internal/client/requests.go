package client

import "encoding/json"

// ListRequest is the body of POST /api/v1/servers/{name}/tools and of
// POST /api/v1/quarantine/{name}/inspect.
type ListRequest struct {
	TimeoutMS int64 `json:"timeout_ms,omitempty"` // 0: 30 s
	Trace     bool  `json:"trace,omitempty"`      // answer every JSON-RPC frame as a line
}

// CallRequest is the body of POST /api/v1/tools/call. The answer is the
// CallToolResult as it came.
type CallRequest struct {
	Name      string          `json:"name"` // a tool of the proxy, or "server:tool"
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// ApproveRequest is the body of POST /api/v1/quarantine/{name}/approve.
type ApproveRequest struct {
	Hash string `json:"hash"`           // of the page that was shown, or of the one definition
	Tool string `json:"tool,omitempty"` // the name of one waiting definition alone
	Kind string `json:"kind,omitempty"` // of that definition, as Tool.Kind; empty: a tool
}

// BlockRequest is the body of POST /api/v1/quarantine/{name}/block.
type BlockRequest struct {
	Tool    string `json:"tool,omitempty"` // the name of a definition; empty: the server itself
	Kind    string `json:"kind,omitempty"` // of the definition, as Tool.Kind; empty: a tool
	Blocked bool   `json:"blocked"`
}

// UseModelRequest is the body of POST /api/v1/models/use.
type UseModelRequest struct {
	Name string `json:"name"` // "default" is the bundled one
}

// Health is the answer of GET /healthz.
type Health struct {
	Status string `json:"status"` // ok
	// Proof is [Proof] of the caller's challenge, if it sent one.
	Proof string `json:"proof,omitempty"`
}

// Readiness is the answer of GET /readyz.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Waiting []string `json:"waiting,omitempty"` // servers that are still starting
}
