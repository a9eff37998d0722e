package quarantine

import (
	"crypto/sha256"
	"encoding/json"

	"mcpproxy/internal/tool"
)

// State is where a server or a tool stands with the reviewer.
type State string

// The states.
const (
	Pending  State = "pending"  // never approved
	Approved State = "approved" // exactly these bytes were approved
	Changed  State = "changed"  // approved once, differs now
	Blocked  State = "blocked"  // a person blocked it, whatever it says
)

// Record is one definition for a reviewer's eyes, of a tool or of another kind. Its text is the
// upstream's and must be escaped before it is printed.
type Record struct {
	Tool     tool.Tool
	Hash     tool.Hash
	State    State           // Approved only on the page of a held server
	Previous json.RawMessage // the definition approved before; nil unless Changed
	// LooksLike is the approved one of the same server and kind whose name is
	// easily taken for this one's; empty mostly.
	LooksLike string
	// Flapping says that the definition went back and forth: it may be the
	// approved one, and still waits for a person.
	Flapping bool
}

// Page is all that a reviewer decides about one server at a time.
type Page struct {
	Server string
	// State is of the server itself: whether its launch identity is approved.
	State     State
	Reason    string // why it is held, in plain words; empty if Approved
	Launch    Launch
	Previous  *Launch // the identity approved before; nil unless Changed
	Inspected bool    // a listing of this identity is stored
	// Tools are the held definitions of an approved server, or the whole stored
	// listing of a held one, all kinds, sorted by kind and name.
	Tools []Record
	Hash  tool.Hash // over server, launch identity and every tool above
}

// seal computes the hash that an approval of p must name.
func (p *Page) seal() {
	covered := struct {
		Server    string
		Launch    Launch
		Inspected bool
		Tools     []tool.Hash
		Others    map[tool.Kind][]tool.Hash `json:",omitempty"`
	}{p.Server, p.Launch.Normal(), p.Inspected, make([]tool.Hash, 0, len(p.Tools)), map[tool.Kind][]tool.Hash{}}
	for _, r := range p.Tools {
		if kind := r.Tool.ID.Kind; kind == "" {
			covered.Tools = append(covered.Tools, r.Hash)
		} else {
			covered.Others[kind] = append(covered.Others[kind], r.Hash)
		}
	}
	text, err := json.Marshal(covered)
	if err != nil {
		panic("quarantine: a page is plain data: " + err.Error())
	}
	p.Hash = sha256.Sum256(text)
}
