package proxy

import (
	"container/list"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of what is kept for read_cache.
const (
	pageBytes = 64 << 20
	pageTTL   = 10 * time.Minute // since it was last read
)

// document is one answer that was too long, or one block of it. Its text is
// complete; records is set where it pages by record, and then head and tail are
// what stands around them.
type document struct {
	key        string
	text       string
	runes      int
	records    []json.RawMessage
	head, tail string
	expiry     *time.Timer
}

// newDocument pages by record where text is JSON that holds a list and no
// record is longer than most characters inside a JSON string.
func newDocument(text string, most int) *document {
	d := &document{text: text, runes: utf8.RuneCountInString(text)}
	d.split()
	around := quotedLength(d.head) + quotedLength(d.tail) + len(",")
	for _, r := range d.records {
		if around+quotedLength(string(r)) > most {
			d.records = nil
			break
		}
	}
	return d
}

// unit names what offsets count.
func (d *document) unit() string {
	if d.records != nil {
		return "records"
	}
	return "characters"
}

func (d *document) total() int {
	if d.records != nil {
		return len(d.records)
	}
	return d.runes
}

// split finds the elements of a JSON array, or of the one array that makes up
// most of a JSON object.
func (d *document) split() {
	const least = 2
	raw := json.RawMessage(d.text)
	if json.Unmarshal(raw, &d.records) == nil && len(d.records) >= least {
		d.head, d.tail = "[", "]"
		return
	}
	d.records = nil
	fields, err := members(raw)
	if err != nil || !json.Valid(raw) {
		return
	}
	for i, f := range fields {
		if len(f.Value) <= len(raw)*3/4 {
			continue
		}
		var records []json.RawMessage
		if json.Unmarshal(f.Value, &records) != nil || len(records) < least {
			return
		}
		fields[i].Value = json.RawMessage("[]")
		before := len(object(fields[:i+1])) - len("]}")
		shape := string(object(fields))
		d.records, d.head, d.tail = records, shape[:before], shape[before:]
		return
	}
}

// pages keeps documents in memory under keys that cannot be guessed. The ones
// not read for the longest go first. Safe for concurrent use.
type pages struct {
	mu     sync.Mutex
	most   int
	ttl    time.Duration
	bytes  int
	byKey  map[string]*list.Element
	recent *list.List // of *document, latest first
	closed bool
}

func newPages(most int, ttl time.Duration) *pages {
	return &pages{most: most, ttl: ttl, byKey: map[string]*list.Element{}, recent: list.New()}
}

// put keeps d and returns its key; ok is false if d alone is more than a
// quarter of all there is room for.
func (p *pages) put(d *document) (key string, ok bool) {
	if len(d.text) > p.most/4 {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", false
	}
	d.key = rand.Text()
	p.bytes += len(d.text)
	p.byKey[d.key] = p.recent.PushFront(d)
	d.expiry = time.AfterFunc(p.ttl, func() { p.drop(d.key) })
	for p.bytes > p.most {
		p.remove(p.recent.Back())
	}
	return d.key, true
}

// get returns the document and keeps it for another while.
func (p *pages) get(key string) (*document, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, found := p.byKey[key]
	if !found {
		return nil, false
	}
	d := e.Value.(*document)
	d.expiry.Reset(p.ttl)
	p.recent.MoveToFront(e)
	return d, true
}

func (p *pages) drop(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, found := p.byKey[key]; found {
		p.remove(e)
	}
}

func (p *pages) remove(e *list.Element) {
	d := p.recent.Remove(e).(*document)
	d.expiry.Stop()
	delete(p.byKey, d.key)
	p.bytes -= len(d.text)
}

func (p *pages) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for p.recent.Len() > 0 {
		p.remove(p.recent.Back())
	}
}
