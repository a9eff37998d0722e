package quarantine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// trust is what is left of the trust at first sight of one server name.
type trust string

const (
	trustOpen    trust = ""        // nothing was decided yet
	trustListing trust = "listing" // the launch identity was trusted, the first listing will be
	trustOver    trust = "over"    // a person decides from here on
)

// serverRecord is what the ledger keeps of one server name, for ever.
type serverRecord struct {
	Name     string  `json:"name,omitempty"`     // the record's own; empty in older ones
	First    Launch  `json:"first"`              // the first identity seen under the name
	Approved *Launch `json:"approved,omitempty"` // nil: no identity is approved
	Trust    trust   `json:"trust,omitempty"`
	// Others is what is left of the trust for what is no tool: trustListing, or
	// nothing. A record that was written before there were others has none.
	Others trust `json:"others,omitempty"`
	// Formula is what First and Approved cover; 0 is 1. See launchFormula.
	Formula int `json:"formula,omitempty"`
}

// approves reports whether identity l is the approved one.
func (r serverRecord) approves(l Launch) bool {
	return r.Approved != nil && r.Approved.equal(l.by(r.Formula))
}

// upgrade makes l, which is that of the record by an earlier formula, that of
// today's.
func (r *serverRecord) upgrade(l Launch) (changed bool) {
	if r.Formula >= launchFormula {
		return false
	}
	switch {
	case r.approves(l):
		r.Approved = &l
	case r.Approved != nil || !r.First.equal(l.by(r.Formula)):
		return false
	}
	if r.First.equal(l.by(r.Formula)) {
		r.First = l
	}
	r.Formula = launchFormula
	return true
}

// definition is one tool definition, approved or held. Raw is kept so that a
// later formula can be computed from what was approved.
type definition struct {
	Formula int       `json:"formula"`
	Hash    tool.Hash `json:"hash"`
	Raw     []byte    `json:"raw"`
	Reverts int       `json:"reverts,omitempty"` // how often the upstream came back to it since a person saw it
}

func define(t tool.Tool, h tool.Hash) definition {
	return definition{Formula: tool.Formula, Hash: h, Raw: t.Raw}
}

// pin returns the hash by today's formula.
func (d definition) pin(id tool.ID) tool.Hash {
	if d.Formula == tool.Formula {
		return d.Hash
	}
	return tool.Tool{ID: id, Raw: d.Raw}.Hash()
}

// unreadable stands for a held definition whose record is damaged. It is the
// hash of nothing, so the next listing writes the record anew.
var unreadable = tool.Hash{0: 0xff, 31: 0xff}

// verified returns the pin of a held definition whose bytes still have it.
func (d definition) verified(id tool.ID, broken error) tool.Hash {
	h := tool.Tool{ID: id, Raw: d.Raw}.Hash()
	if broken != nil || (d.Formula == tool.Formula && h != d.Hash) {
		return unreadable
	}
	return h
}

// listing is what an inspection of a held server saw.
type listing struct {
	Launch Launch                 `json:"launch"`
	Tools  [][]byte               `json:"tools"`
	Others map[tool.Kind][][]byte `json:"others,omitempty"` // what is no tool
	Whole  bool                   `json:"whole,omitempty"`  // Others was listed too
}

// ledger is the gate's part of the database.
type ledger struct {
	db       *store.DB
	servers  store.Bucket[serverRecord]
	approved items[definition]
	held     items[definition]
	listings store.Bucket[listing]
	blocked  items[bool]
	history  store.Bucket[Event]
	now      func() time.Time
	follow   func(Event) // told what was written; nil: nobody
	// misplaced says which record is not where it belongs: names may be missing
	// then, and a server that was held looks like one never seen.
	misplaced string
}

func openLedger(db *store.DB) (*ledger, error) {
	l := &ledger{db: db, now: time.Now}
	before, err := db.Buckets(Prefix)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	if slices.Contains(before, Prefix+"history") && !slices.Contains(before, Prefix+"servers") {
		l.misplaced = "the records of servers are not in their place"
	}
	var errs [6]error
	l.servers, errs[0] = store.OpenBucket[serverRecord](db, "quarantine.servers")
	l.approved, errs[1] = openItems[definition](db, "quarantine.approved")
	l.held, errs[2] = openItems[definition](db, "quarantine.held")
	l.listings, errs[3] = store.OpenBucket[listing](db, "quarantine.listings")
	l.blocked, errs[4] = openItems[bool](db, "quarantine.blocked")
	l.history, errs[5] = store.OpenBucket[Event](db, "quarantine.history")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	if err := l.trim(); err != nil {
		return nil, fmt.Errorf("quarantine: history: %w", err)
	}
	return l, nil
}

// changes are writes that happen together or not at all.
type changes struct {
	server  string
	record  *serverRecord
	listing *listing
	unlist  bool // the stored listing goes
	approve map[tool.ID]definition
	hold    map[tool.ID]definition
	unpin   []tool.ID        // whose approval goes
	unhold  []tool.ID        // whose held definition goes
	block   map[tool.ID]bool // an empty name is the server itself
	events  []Event
	looks   looks // what approved names look like; see unlike
}

func (c *changes) empty() bool {
	return c.record == nil && c.listing == nil && !c.unlist &&
		len(c.approve)+len(c.hold)+len(c.unpin)+len(c.unhold)+len(c.block) == 0
}

// commit writes c in one transaction; it is on disk when commit returns nil.
// Nothing to write is no transaction.
func (l *ledger) commit(c *changes) error {
	if c.empty() {
		return nil
	}
	events := l.stamp(c.events)
	err := l.db.Update(func(tx *store.Tx) error {
		var errs [6]error
		if c.record != nil {
			rec := *c.record
			rec.Name = c.server
			errs[0] = l.servers.Stage(tx, map[string]serverRecord{c.server: rec}, nil)
		}
		switch {
		case c.listing != nil:
			errs[1] = l.listings.Stage(tx, map[string]listing{c.server: *c.listing}, nil)
		case c.unlist:
			errs[1] = l.listings.Stage(tx, nil, []string{c.server})
		}
		errs[2] = l.approved.stage(tx, c.approve, c.unpin)
		errs[3] = l.held.stage(tx, c.hold, c.unhold)
		put, remove := c.blocks()
		errs[4] = l.blocked.stage(tx, put, remove)
		errs[5] = l.history.Stage(tx, events, nil)
		return errors.Join(errs[:]...)
	})
	if err == nil && l.follow != nil {
		for _, at := range slices.Sorted(maps.Keys(events)) {
			l.follow(events[at])
		}
	}
	return err
}

// blocks returns the records of what is blocked and of what is no more.
func (c *changes) blocks() (put map[tool.ID]bool, remove []tool.ID) {
	put = map[tool.ID]bool{}
	for id, blocked := range c.block {
		if blocked {
			put[id] = true
		} else {
			remove = append(remove, id)
		}
	}
	return put, remove
}

// load reads everything but the bytes of definitions into memory. A record that
// does not decode leaves its server or its tool without approval.
func (l *ledger) load() (view, error) {
	v := view{}
	at := func(server string) *serverView {
		if v[server] == nil {
			v[server] = &serverView{pins: map[tool.ID]pin{}}
		}
		return v[server]
	}
	err := l.servers.All(func(name string, rec serverRecord, broken error) error {
		s := at(name)
		elsewhere := broken == nil && rec.Name != "" && rec.Name != name
		if elsewhere {
			l.misplaced = fmt.Sprintf("the record of server %q lies under another name", rec.Name)
		}
		if broken != nil || elsewhere {
			rec = serverRecord{Trust: trustOver}
			s.damaged = true
		}
		s.rec, s.known = rec, true
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.approved.all(func(id tool.ID, d definition, broken error) error {
		at(id.Server).change(id, func(p *pin) { p.approved, p.damaged, p.reverts = d.pin(id), broken != nil, d.Reverts })
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.held.all(func(id tool.ID, d definition, broken error) error {
		at(id.Server).change(id, func(p *pin) { p.held = d.verified(id, broken) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.blocked.all(func(id tool.ID, _ bool, _ error) error { // a damaged record blocks too
		if s := at(id.Server); id.Name == "" {
			s.blocked = true
		} else {
			s.change(id, func(p *pin) { p.blocked = true })
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range v { // approvals without the record of their server
		if !s.known && s.bound() {
			s.known, s.damaged, s.rec.Trust = true, true, trustOver
		}
	}
	return v, nil
}
