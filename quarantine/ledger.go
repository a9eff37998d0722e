package quarantine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
func (d definition) pin() tool.Hash {
	if d.Formula == tool.Formula {
		return d.Hash
	}
	return tool.Tool{Raw: d.Raw}.Hash()
}

// unreadable stands for a held definition whose record is damaged. It is the
// hash of nothing, so the next listing writes the record anew.
var unreadable = tool.Hash{0: 0xff, 31: 0xff}

// verified returns the pin of a held definition whose bytes still have it.
func (d definition) verified(broken error) tool.Hash {
	h := tool.Tool{Raw: d.Raw}.Hash()
	if broken != nil || (d.Formula == tool.Formula && h != d.Hash) {
		return unreadable
	}
	return h
}

// listing is what an inspection of a held server saw.
type listing struct {
	Launch Launch   `json:"launch"`
	Tools  [][]byte `json:"tools"`
}

// ledger is the gate's part of the database. Keys of definitions are
// "server:tool", which is unambiguous because no server name holds a colon.
type ledger struct {
	db       *store.DB
	servers  store.Bucket[serverRecord]
	approved store.Bucket[definition]
	held     store.Bucket[definition]
	listings store.Bucket[listing]
	blocked  store.Bucket[bool] // by server or "server:tool"
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
	l.approved, errs[1] = store.OpenBucket[definition](db, "quarantine.approved")
	l.held, errs[2] = store.OpenBucket[definition](db, "quarantine.held")
	l.listings, errs[3] = store.OpenBucket[listing](db, "quarantine.listings")
	l.blocked, errs[4] = store.OpenBucket[bool](db, "quarantine.blocked")
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
	approve map[string]definition
	hold    map[string]definition
	unpin   []string        // names whose approval goes
	unhold  []string        // names whose held definition goes
	block   map[string]bool // names, "" for the server itself
	events  []Event
	looks   map[string]string // what approved names look like; see unlike
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
		errs[2] = l.approved.Stage(tx, keyed(c.server, c.approve), keys(c.server, c.unpin))
		errs[3] = l.held.Stage(tx, keyed(c.server, c.hold), keys(c.server, c.unhold))
		put, remove := c.blocks()
		errs[4] = l.blocked.Stage(tx, put, remove)
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
func (c *changes) blocks() (put map[string]bool, remove []string) {
	put = map[string]bool{}
	for name, blocked := range c.block {
		k := c.server
		if name != "" {
			k = key(c.server, name)
		}
		if blocked {
			put[k] = true
		} else {
			remove = append(remove, k)
		}
	}
	return put, remove
}

func key(server, name string) string { return tool.ID{Server: server, Name: name}.String() }

func serverOf(key string) string {
	server, _, _ := strings.Cut(key, ":")
	return server
}

func nameOf(key string) string {
	_, name, _ := strings.Cut(key, ":")
	return name
}

func keys(server string, names []string) []string {
	list := make([]string, 0, len(names))
	for _, name := range names {
		list = append(list, key(server, name))
	}
	return list
}

func keyed(server string, defs map[string]definition) map[string]definition {
	m := make(map[string]definition, len(defs))
	for name, d := range defs {
		m[key(server, name)] = d
	}
	return m
}

// load reads everything but the bytes of definitions into memory. A record that
// does not decode leaves its server or its tool without approval.
func (l *ledger) load() (view, error) {
	v := view{}
	at := func(server string) *serverView {
		if v[server] == nil {
			v[server] = &serverView{pins: map[string]pin{}}
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
	err = l.approved.All(func(k string, d definition, broken error) error {
		at(serverOf(k)).change(nameOf(k), func(p *pin) { p.approved, p.damaged, p.reverts = d.pin(), broken != nil, d.Reverts })
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.held.All(func(k string, d definition, broken error) error {
		at(serverOf(k)).change(nameOf(k), func(p *pin) { p.held = d.verified(broken) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.blocked.All(func(k string, _ bool, _ error) error { // a damaged record blocks too
		if nameOf(k) == "" {
			at(k).blocked = true
		} else {
			at(serverOf(k)).change(nameOf(k), func(p *pin) { p.blocked = true })
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
