package quarantine

import (
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// decisions are what no backup takes back: it is older than they are.
type decisions struct {
	blocked  map[tool.ID]bool
	seen     map[string]serverRecord // by name; what the configuration may trust no more
	flapping map[tool.ID]definition  // approved, went back and forth, and waits
	history  map[string]Event
}

func newDecisions() decisions {
	return decisions{map[tool.ID]bool{}, map[string]serverRecord{}, map[tool.ID]definition{}, map[string]Event{}}
}

// read adds those on record in l. A record that cannot be read counts against
// what it is of.
func (d decisions) read(l *ledger) error {
	err := l.blocked.all(func(id tool.ID, _ bool, _ error) error {
		d.blocked[id] = true
		return nil
	})
	if err != nil {
		return err
	}
	err = l.servers.All(func(name string, rec serverRecord, broken error) error {
		d.see(name, rec, broken)
		return nil
	})
	if err != nil {
		return err
	}
	err = l.history.All(func(key string, e Event, broken error) error {
		if broken == nil {
			d.history[key] = e
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.approved.all(func(id tool.ID, a definition, broken error) error {
		held, err := l.held.get(id)
		if broken == nil && err == nil && a.pin(id) == held.verified(id, nil) {
			d.flapping[id] = a
		}
		return nil
	})
}

// readBackup adds what is in a backup's records.
func (d decisions) readBackup(records []store.Record) {
	for _, r := range records {
		switch key := string(r.Key); r.Bucket {
		case Prefix + "blocked", Prefix + "blocked" + othersSuffix:
			d.blocked[idOf(key, r.Bucket == Prefix+"blocked")] = true
		case Prefix + "servers":
			var rec serverRecord
			d.see(key, rec, json.Unmarshal(r.Value, &rec))
		case Prefix + "history":
			var e Event
			if json.Unmarshal(r.Value, &e) == nil {
				d.history[key] = e
			}
		}
	}
}

// see notes a server's record; of two the one that trusts less counts. One that
// lies under another name counts against both.
func (d decisions) see(name string, rec serverRecord, broken error) {
	elsewhere := broken == nil && rec.Name != "" && rec.Name != name
	if elsewhere {
		d.see(rec.Name, serverRecord{Trust: trustOver}, nil)
	}
	if elsewhere || broken != nil {
		rec = serverRecord{Trust: trustOver}
	}
	if !utf8.ValidString(name) {
		return // no server has it, and a record cannot hold it
	}
	if before, there := d.seen[name]; there {
		rec = rec.wary(before)
	}
	d.seen[name] = rec
}

// wary returns r with no more trust at first sight than o has.
func (r serverRecord) wary(o serverRecord) serverRecord {
	steps := []trust{trustOpen, trustListing, trustOver}
	r.Trust = steps[max(slices.Index(steps, r.Trust), slices.Index(steps, o.Trust), 0)]
	if o.Others != trustListing {
		r.Others = ""
	}
	return r
}

// blocks returns the names of what is blocked, and of what only records block.
func (d decisions) blocks(records []store.Record) (stay, again []string) {
	then := newDecisions()
	then.readBackup(records)
	for id := range d.blocked {
		stay = append(stay, nameOf(id))
	}
	for id := range then.blocked {
		if !d.blocked[id] {
			again = append(again, nameOf(id))
		}
	}
	slices.Sort(stay)
	slices.Sort(again)
	return stay, again
}

// over returns records with d put over them.
func (d decisions) over(records []store.Record) []store.Record {
	unseen := maps.Clone(d.seen)
	list := make([]store.Record, 0, len(records)+len(d.history))
	for _, r := range records {
		key := string(r.Key)
		switch r.Bucket {
		case Prefix + "servers":
			delete(unseen, key)
			r = d.overServer(r)
		case Prefix + "approved", Prefix + "approved" + othersSuffix:
			isTool := r.Bucket == Prefix+"approved"
			var then definition
			id := idOf(key, isTool)
			if now, flaps := d.flapping[id]; flaps && json.Unmarshal(r.Value, &then) == nil && then.pin(id) == now.pin(id) {
				r.Value = encoded(now)
				list = append(list, itemRecord("held", id, define(tool.Tool{ID: id, Raw: now.Raw}, now.pin(id))))
			}
		}
		list = append(list, r)
	}
	for name, rec := range unseen { // as after Forget
		rec = serverRecord{Name: name, First: rec.First, Trust: trustOver, Formula: rec.Formula}
		list = append(list, store.Record{Bucket: Prefix + "servers", Key: []byte(name), Value: encoded(rec)})
	}
	for id := range d.blocked {
		list = append(list, itemRecord("blocked", id, true))
	}
	for key, e := range d.history {
		list = append(list, store.Record{Bucket: Prefix + "history", Key: []byte(key), Value: encoded(e)})
	}
	return list
}

// overServer returns a server's record of a backup with no more trust than it
// has by now. One that cannot be read stays so, and is held.
func (d decisions) overServer(r store.Record) store.Record {
	var rec serverRecord
	now, there := d.seen[string(r.Key)]
	if there && json.Unmarshal(r.Value, &rec) == nil {
		r.Value = encoded(rec.wary(now))
	}
	return r
}

// itemRecord is the record of v about id in one of the buckets of items.
func itemRecord(bucket string, id tool.ID, v any) store.Record {
	key, isTool := itemKey(id)
	if !isTool {
		bucket += othersSuffix
	}
	return store.Record{Bucket: Prefix + bucket, Key: []byte(key), Value: encoded(v)}
}

// encoded encodes what is always encodable.
func encoded(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic("quarantine: a record is plain data: " + err.Error())
	}
	return text
}
