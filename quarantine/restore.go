package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// Restoration is what bringing a backup back changes. Names are of servers and
// definitions, as [tool.ID.Target] writes them; they are upstreams' text.
type Restoration struct {
	Gained  []string // approved again
	Lost    []string // approved since, and no longer
	Changed []string // approved with what was approved then
	Blocked []string // blocks of now, which stay
	Again   []string // blocked then, not now, and again
}

// Empty reports whether approvals are the same before and after.
func (r Restoration) Empty() bool { return len(r.Gained)+len(r.Lost)+len(r.Changed) == 0 }

// PlanRestore tells what [Restore] with the same arguments would change; a db
// that is nil approves nothing.
func PlanRestore(db *store.DB, records, latest []store.Record) (r Restoration, err error) {
	now, since := map[string]string{}, newDecisions()
	if db != nil {
		l, err := openLedger(db)
		if err != nil {
			return r, err
		}
		if now, err = l.approvals(); err == nil {
			err = since.read(l)
		}
		if err != nil {
			return r, fmt.Errorf("quarantine: %w", err)
		}
	}
	since.readBackup(latest)
	r.Blocked, r.Again = since.blocks(records)
	then, err := approvalsIn(records)
	if err != nil {
		return Restoration{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(then)) {
		was, there := now[name]
		switch {
		case !there:
			r.Gained = append(r.Gained, name)
		case was != then[name]:
			r.Changed = append(r.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, stays := then[name]; !stays {
			r.Lost = append(r.Lost, name)
		}
	}
	return r, nil
}

// nameOf is what people call a definition, or a server.
func nameOf(id tool.ID) string {
	if id.Name == "" {
		return id.Server
	}
	return id.Target()
}

// Approvals counts the servers and definitions that records approve.
func Approvals(records []store.Record) (int, error) {
	m, err := approvalsIn(records)
	return len(m), err
}

// Restore makes records of a backup the approvals of db, in one transaction, and
// empties the buckets of derived, which hold what can be made anew. What persons
// decided since, in db and in latest, stays: blocks, what was once seen and is
// trusted at first sight no more, what went back and forth, and the history. latest
// are the records of the newest backup where db stands in for a lost one, else
// nil. No gate may be open on db.
func Restore(db *store.DB, records, latest []store.Record, derived ...string) error {
	l, err := openLedger(db)
	if err != nil {
		return err
	}
	since := newDecisions()
	if err = since.read(l); err == nil {
		since.readBackup(latest)
		err = db.Restore(Prefix, since.over(records), derived...)
	}
	if err != nil {
		return fmt.Errorf("quarantine: restore: %w", err)
	}
	return nil
}

// approvals returns what identifies each approval, by name. Damaged ones are
// none.
func (l *ledger) approvals() (map[string]string, error) {
	m := map[string]string{}
	err := l.servers.All(func(name string, rec serverRecord, broken error) error {
		if broken == nil && rec.Approved != nil {
			m[name] = rec.identity()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.approved.all(func(id tool.ID, d definition, broken error) error {
		if broken == nil {
			m[nameOf(id)] = d.pin(id).String()
		}
		return nil
	})
	return m, err
}

// approvalsIn is approvals of a backup.
func approvalsIn(records []store.Record) (map[string]string, error) {
	m := map[string]string{}
	var broken []error
	for _, r := range records {
		var err error
		switch r.Bucket {
		case Prefix + "servers":
			var rec serverRecord
			if err = json.Unmarshal(r.Value, &rec); err == nil && rec.Approved != nil {
				m[string(r.Key)] = rec.identity()
			}
		case Prefix + "approved", Prefix + "approved" + othersSuffix:
			var d definition
			if err = json.Unmarshal(r.Value, &d); err == nil {
				id := idOf(string(r.Key), r.Bucket == Prefix+"approved")
				m[nameOf(id)] = d.pin(id).String()
			}
		}
		if err != nil {
			broken = append(broken, fmt.Errorf("%s %q: %w", r.Bucket, r.Key, err))
		}
	}
	return m, errors.Join(broken...)
}

func (r serverRecord) identity() string { return string(encoded(r.Approved.Normal())) }
