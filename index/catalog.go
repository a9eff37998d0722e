package index

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"mcpproxy/internal/tool"
)

// Format is the version of the catalogue's records.
const Format = 1

// Records is what the index asks of its buckets; store.Bucket has it.
type Records[V any] interface {
	Update(put map[string]V, remove []string) error
	All(f func(key string, v V, broken error) error) error
}

// Entry is one record of the catalogue: a tool under its "server:name", or what
// the index knows about itself under [metaKey].
type Entry struct {
	Server string    `json:"server,omitempty"`
	Raw    []byte    `json:"raw,omitempty"` // the definition, byte for byte
	Sum    tool.Hash `json:"sum"`           // over Server and Raw
	Meta   *Meta     `json:"meta,omitempty"`
}

// Meta says with what the catalogue was written.
type Meta struct {
	Format   int `json:"format"`
	Analyzer int `json:"analyzer"`
}

// metaKey cannot be a tool's: a server's name is never empty.
const metaKey = ":meta"

func newEntry(t tool.Tool) Entry {
	return Entry{Server: t.ID.Server, Raw: t.Raw, Sum: entrySum(t.ID.Server, t.Raw)}
}

func entrySum(server string, raw []byte) tool.Hash {
	return sha256.Sum256(append([]byte(server+"\x00"), raw...))
}

// decode returns the tool of a record that is whole and stands under its key.
func (e Entry) decode(key string) (tool.Tool, error) {
	if e.Sum != entrySum(e.Server, e.Raw) {
		return tool.Tool{}, errors.New("checksum differs")
	}
	t, err := tool.Decode(e.Server, e.Raw)
	if err != nil {
		return tool.Tool{}, err
	}
	if t.ID.String() != key {
		return tool.Tool{}, errors.New("stands under another tool's key")
	}
	return t, nil
}

// catalogue is what loading found.
type catalogue struct {
	tools   map[string][]tool.Tool // by server
	damaged []string               // keys of records that were dropped
	rebuilt string                 // why everything was made anew; empty if it was not
}

// load reads the catalogue. Damaged records are left out; they come back with
// the next listing of their server.
func load(records Records[Entry]) (catalogue, error) {
	c := catalogue{tools: make(map[string][]tool.Tool)}
	var meta *Meta
	count := 0
	err := records.All(func(key string, e Entry, broken error) error {
		if key == metaKey {
			meta = e.Meta
			return nil
		}
		count++
		if broken == nil {
			var t tool.Tool
			if t, broken = e.decode(key); broken == nil {
				c.tools[e.Server] = append(c.tools[e.Server], t)
			}
		}
		if broken != nil {
			c.damaged = append(c.damaged, key)
		}
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("index: catalogue: %w", err)
	}
	c.rebuilt = staleness(meta, count, len(c.damaged))
	return c, nil
}

func staleness(meta *Meta, count, damaged int) string {
	switch {
	case count == 0:
		return ""
	case meta == nil:
		return "the record of its format was missing or damaged"
	case meta.Format != Format:
		return fmt.Sprintf("it had format %d, this version writes %d", meta.Format, Format)
	case meta.Analyzer != analyzerVersion:
		return fmt.Sprintf("its words were split by analyzer %d, this version has %d", meta.Analyzer, analyzerVersion)
	case damaged > 0:
		return fmt.Sprintf("%d of %d records were damaged; they come back when their servers list again", damaged, count)
	}
	return ""
}

// repair writes the current meta record and deletes damaged ones, in one
// transaction; nothing if the catalogue is sound.
func (c *catalogue) repair(records Records[Entry], fresh bool) error {
	if c.rebuilt == "" && !fresh {
		return nil
	}
	meta := Entry{Meta: &Meta{Format: Format, Analyzer: analyzerVersion}}
	if err := records.Update(map[string]Entry{metaKey: meta}, c.damaged); err != nil {
		return fmt.Errorf("index: catalogue: %w", err)
	}
	return nil
}

// segments analyses all tools, servers side by side.
func (c *catalogue) segments(w *weights) []*segment {
	var mu sync.Mutex
	var out []*segment
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for server, tools := range c.tools {
		g.Go(func() error {
			a := newAnalyzer()
			docs := make([]*document, len(tools))
			for i, t := range tools {
				docs[i] = a.analyse(t, w)
			}
			seg := newSegment(server, docs)
			mu.Lock()
			defer mu.Unlock()
			out = append(out, seg)
			return nil
		})
	}
	_ = g.Wait() // no f returns an error
	slices.SortFunc(out, func(x, y *segment) int { return cmp.Compare(x.server, y.server) })
	return out
}
