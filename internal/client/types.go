package client

import (
	"encoding/json"
	"time"
)

// Status is the answer of GET /api/v1/status.
type Status struct {
	Version    string    `json:"version"`
	PID        int       `json:"pid"`
	Running    bool      `json:"running"`            // false if no instance serves and the data directory was read directly
	Endpoint   string    `json:"endpoint,omitempty"` // URL for an IDE
	StartedAt  time.Time `json:"started_at"`
	ConfigPath string    `json:"config_path"`
	LogDir     string    `json:"log_dir"`
	// ConfigError is why the file on disk is not in force; empty if it is.
	ConfigError string `json:"config_error,omitempty"`
	// StorageError is why approvals or the record cannot be written; empty if the
	// last of both were.
	StorageError string   `json:"storage_error,omitempty"`
	Servers      []Server `json:"servers"`
	Index        Index    `json:"index"`
	Loss         *Loss    `json:"loss,omitempty"` // of approvals
}

// Server is one configured upstream. It never holds values of env or headers.
type Server struct {
	Name        string     `json:"name"`
	Transport   string     `json:"transport"`
	Enabled     bool       `json:"enabled"`
	State       string     `json:"state"` // of upstream.State, or "not running" without an instance
	Error       string     `json:"error,omitempty"`
	Hint        string     `json:"hint,omitempty"`  // the command that helps
	Fault       string     `json:"fault,omitempty"` // why it could not start, as far as that shows before: its folder is missing
	Since       *time.Time `json:"since,omitempty"`
	NextTry     *time.Time `json:"next_try,omitempty"`
	Tools       int        `json:"tools"`      // approved and searchable
	HeldTools   int        `json:"held_tools"` // definitions of every kind that wait for a person
	Command     string     `json:"command,omitempty"`
	Args        []string   `json:"args,omitempty"` // as configured, placeholders unexpanded
	WorkingDir  string     `json:"working_dir,omitempty"`
	URL         string     `json:"url,omitempty"`
	EnvNames    []string   `json:"env_names,omitempty"`
	HeaderNames []string   `json:"header_names,omitempty"`
	PID         int        `json:"pid,omitempty"`
	Isolation   string     `json:"isolation,omitempty"` // in words: "docker IMAGE" and what its start waits for; empty is the host
	// AutoApprove is what serves without a person: unchanged-server-new-tools,
	// annotations, or all; empty is nothing.
	AutoApprove string `json:"auto_approve,omitempty"`
}

// ServerChange is the body of POST /api/v1/servers (add) and of
// PATCH /api/v1/servers/{name} (update). A nil field is left as it is.
type ServerChange struct {
	Name       *string            `json:"name,omitempty"`
	Command    *string            `json:"command,omitempty"`
	Args       *[]string          `json:"args,omitempty"`
	Env        *map[string]string `json:"env,omitempty"`
	URL        *string            `json:"url,omitempty"`
	Headers    *map[string]string `json:"headers,omitempty"`
	WorkingDir *string            `json:"working_dir,omitempty"`
	Protocol   *string            `json:"protocol,omitempty"`
	Enabled    *bool              `json:"enabled,omitempty"`
}

// Tool is one definition, of a tool or of another kind. Definition is the
// upstream's own text.
type Tool struct {
	ID          string          `json:"id"`   // server:name; of other kinds server:prompt/NAME and so on
	Kind        string          `json:"kind"` // tool, prompt, resource, template or instructions
	Server      string          `json:"server"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Access      string          `json:"access"` // read, write or destructive; empty unless a tool
	State       string          `json:"state"`  // approved, pending, changed or blocked
	Hash        string          `json:"hash"`
	Definition  json.RawMessage `json:"definition"`
	// Of what waits only:
	LooksLike string          `json:"looks_like,omitempty"` // an approved one whose name is easily taken for this one's
	Flapping  bool            `json:"flapping,omitempty"`   // it went back and forth, so it waits whatever it says
	Diff      json.RawMessage `json:"diff,omitempty"`       // quarantine.Difference from what was approved
	Drift     *float64        `json:"drift,omitempty"`      // 1 - cosine between the meanings of the two; nil without a sentence model
}

// Hit is one tool found by GET /api/v1/tools/search.
type Hit struct {
	Tool
	Score   float64         `json:"score"`
	Explain json.RawMessage `json:"explain,omitempty"` // index.Explain
}

// Expectation answers why a tool is not among the hits of a search.
type Expectation struct {
	ID      string          `json:"id"`
	Reason  string          `json:"reason"`            // in plain words: what hides it, or where it stands
	Rank    int             `json:"rank"`              // among all tools that were ranked; 0: not among them
	Of      int             `json:"of"`                // tools that were ranked
	Explain json.RawMessage `json:"explain,omitempty"` // index.Explain
}

// Waiting is what one server has in quarantine.
type Waiting struct {
	Server    string `json:"server"`
	State     string `json:"state"` // of the server itself: pending, approved, changed or blocked
	Reason    string `json:"reason"`
	Inspected bool   `json:"inspected"` // a listing is stored
	Launch    Launch `json:"launch"`
	Tools     []Tool `json:"tools"` // held ones of every kind; of a held server its stored listing
	// Hash is over the launch identity and every hash in Tools: what an approval
	// that was shown this page names.
	Hash    string   `json:"hash"`
	Blocked []string `json:"blocked,omitempty"` // definitions that a person blocked, as commands name them
}

// Launch is what an approval of a server is bound to.
type Launch struct {
	Transport   string   `json:"transport"`
	Command     string   `json:"command,omitempty"`
	Args        []string `json:"args,omitempty"`
	WorkingDir  string   `json:"working_dir,omitempty"`
	EnvNames    []string `json:"env_names,omitempty"`
	URL         string   `json:"url,omitempty"`
	HeaderNames []string `json:"header_names,omitempty"`
	References  []string `json:"references,omitempty"` // secrets it is given: "env NAME ${keyring:x}"
	Isolation   string   `json:"isolation,omitempty"`  // where it runs and what of the host it reaches; empty is the host itself
	ImageID     string   `json:"image_id,omitempty"`   // sha256:..., of its image
	Issuer      string   `json:"issuer,omitempty"`     // authorization server of its login, where known
}

// Index is the answer of GET /api/v1/index.
type Index struct {
	Tools   int            `json:"tools"`
	Servers map[string]int `json:"servers"` // tools by server
	Vectors int            `json:"vectors"`
	// VectorsMade counts those that were made, of NextModel or else of Model:
	// searches see them in steps.
	VectorsMade int    `json:"vectors_made"`
	Model       string `json:"model,omitempty"` // empty: BM25 only
	// NextModel makes its vectors while Model serves.
	NextModel string `json:"next_model,omitempty"`
	// ModelError is why the model that the configuration chooses does not serve.
	ModelError string  `json:"model_error,omitempty"`
	Format     int     `json:"format"`
	Rebuilt    string  `json:"rebuilt,omitempty"` // why it was rebuilt at open, if it was
	BuildMS    float64 `json:"build_ms"`
	Searches   uint64  `json:"searches"`
}

// Model is one sentence model that the search can use.
type Model struct {
	Name      string `json:"name"`
	Bundled   bool   `json:"bundled"`
	Chosen    bool   `json:"chosen"`     // by the configuration
	InService bool   `json:"in_service"` // searches use it now
	Dim       int    `json:"dim"`        // length of its vectors
	Bytes     int64  `json:"bytes"`
	Digest    string `json:"digest,omitempty"` // over its files' SHA-256
	Error     string `json:"error,omitempty"`  // why it cannot be used
}

// AddedModel is a new model with what it costs on this machine.
type AddedModel struct {
	Model
	QueryMS        float64 `json:"query_ms"` // median
	ToolsPerSecond float64 `json:"tools_per_second"`
	Tools          int     `json:"tools"`           // in the index now
	ReindexSeconds float64 `json:"reindex_seconds"` // for those, in the background
}

// Progress is one line of a long answer (application/x-ndjson). The last line
// has Error, or End and the result.
type Progress struct {
	End   bool            `json:"end,omitempty"`
	Done  int             `json:"done,omitempty"`
	Total int             `json:"total,omitempty"`
	Frame json.RawMessage `json:"frame,omitempty"` // a JSON-RPC frame, with trace
	Dir   string          `json:"dir,omitempty"`   // of Frame: "->" to the upstream, "<-" from it
	Error *Error          `json:"error,omitempty"`
	Tools []Tool          `json:"tools,omitempty"`
	Index *Index          `json:"index,omitempty"`
	Page  *Waiting        `json:"page,omitempty"`

	Prompt *LoginPrompt `json:"prompt,omitempty"`
	Login  *Login       `json:"login,omitempty"`
}

// The codes of an [Error].
const (
	CodeNotFound    = "not_found"
	CodeInvalid     = "invalid"  // what was asked cannot be meant
	CodeConflict    = "conflict" // it is otherwise now
	CodeHeld        = "held"     // a person must approve it first
	CodeForbidden   = "forbidden"
	CodeUnavailable = "unavailable" // not now
	CodeConfig      = "config"      // the configuration has faults
	CodeInternal    = "internal"    // a fault of the program; its log has the details
)

// Error is the body of every answer that is not 2xx.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // the next step
}

// Error returns the message, and the hint on a line of its own.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "\nhint: " + e.Hint
}
