package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/embed"
	"mcpproxy/internal/tool"
)

// Errors of searching.
var (
	ErrClosed     = errors.New("index is closed")
	ErrNoEmbedder = errors.New("vector search needs an embedding model and there is none")
	ErrNoVectors  = errors.New("vectors are still being made")
	ErrBadMode    = errors.New("unknown search mode")
)

// defaultLimit is the limit of a [Query] without one.
const defaultLimit = 5

// Options of [Open]. The zero value is an index with the lexical arm only.
type Options struct {
	Embedder embed.Embedder     // nil: BM25 only, until Use. The caller closes it, after the index
	Vectors  Records[Embedding] // keeps vectors over restarts; nil: they are made again
	Log      *zap.Logger        // nil: silent
	Changed  func()             // told when Status may differ; must return soon; nil: nobody
}

// Index finds tools. Safe for concurrent use; searches take no lock.
type Index struct {
	records    Records[Entry]     // nil: memory only
	embeddings Records[Embedding] // likewise
	log        *zap.Logger
	changed    func()
	weights    *weights

	// worker serves searches, nil without an embedder; next, made by Use, is to
	// take its place. closing guards changes of both together with closed.
	worker  atomic.Pointer[worker]
	next    atomic.Pointer[worker]
	closing sync.Mutex

	snap     atomic.Pointer[snapshot]
	searches atomic.Int64
	closed   atomic.Bool
	rebuilt  string
	built    time.Duration

	swap    sync.Mutex // around reading, changing and storing snap
	servers serverLocks
}

// Delta says what a [Index.Replace] changed, in tools.
type Delta struct{ Added, Changed, Removed, Kept int }

// Status is what [Index.Status] tells.
type Status struct {
	Tools    int            `json:"tools"`
	Servers  map[string]int `json:"servers"` // tools by server
	Vectors  int            `json:"vectors"` // tools that have theirs
	Made     int            `json:"made"`    // vectors of Next, else of Model, that were made; searches see them in steps
	Model    string         `json:"model,omitempty"`
	Next     string         `json:"next_model,omitempty"` // its vectors are being made, while Model serves
	Format   int            `json:"format"`
	Rebuilt  string         `json:"rebuilt,omitempty"` // why opening made everything anew
	BuildMS  float64        `json:"build_ms"`          // what opening took
	Searches int64          `json:"searches"`
}

// Open loads the catalogue and serves it at once, before any upstream answers.
// A catalogue of an older format, or with damaged records, is repaired and
// [Status].Rebuilt says why. catalog may be nil: the index then lives in memory.
func Open(catalog Records[Entry], opt Options) (*Index, error) {
	start := time.Now()
	x := &Index{records: catalog, embeddings: opt.Vectors, log: opt.Log, changed: opt.Changed, weights: shipped()}
	if x.changed == nil {
		x.changed = func() {}
	}
	opt.Changed = x.changed
	if x.log == nil {
		x.log = zap.NewNop()
	}
	segments, err := x.load()
	if err != nil {
		return nil, err
	}
	x.snap.Store(newSnapshot(segments, new(dictionary), x.weights))
	if opt.Embedder != nil {
		w, err := startWorker(opt, x.log, x.snap.Load)
		if err != nil {
			return nil, err
		}
		x.worker.Store(w)
	}
	x.built = time.Since(start)
	x.log.Debug("index is open", zap.Int("tools", x.snap.Load().count), zap.Duration("dur", x.built))
	return x, nil
}

func (x *Index) load() ([]*segment, error) {
	if x.records == nil {
		return nil, nil
	}
	c, err := load(x.records)
	if err != nil {
		return nil, err
	}
	x.rebuilt = c.rebuilt
	if x.rebuilt != "" {
		x.log.Warn("index was rebuilt", zap.String("reason", x.rebuilt))
	}
	if err := c.repair(x.records, len(c.tools) == 0); err != nil {
		return nil, err
	}
	return c.segments(x.weights), nil
}

// Close ends the work in the background and waits for it. Searches of a closed
// index return [ErrClosed]. A second Close does nothing.
func (x *Index) Close() error {
	x.closing.Lock()
	x.closed.Store(true)
	workers := x.workers()
	x.closing.Unlock()
	for _, w := range workers {
		w.stop()
	}
	return nil
}

// Replace makes tools the tools of server, whose name they carry whatever their
// ids say; of two with one name the first counts. Only new and changed ones are
// analysed. They are searchable when Replace returns; vectors follow in the
// background. Changes are on disk in one transaction when it returns nil; it
// writes nothing if nothing changed. After an error the new tools serve all the
// same and the next Replace of the server writes them.
func (x *Index) Replace(ctx context.Context, server string, tools []tool.Tool) (Delta, error) {
	if x.closed.Load() {
		return Delta{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return Delta{}, fmt.Errorf("index: replace %s: %w", server, err)
	}
	lock := x.servers.lock(server)
	defer lock.Unlock()
	change := x.diff(server, tools)
	if change.delta.Added+change.delta.Changed+change.delta.Removed > 0 {
		x.install(server, newSegment(server, change.docs))
	}
	put, remove := lock.pending(change)
	if x.records == nil || len(put)+len(remove) == 0 {
		return change.delta, nil
	}
	if err := x.records.Update(put, remove); err != nil {
		lock.owe(put, remove)
		return change.delta, fmt.Errorf("index: replace %s: %w", server, err)
	}
	lock.owe(nil, nil)
	return change.delta, nil
}

// Remove takes away every tool of server.
func (x *Index) Remove(ctx context.Context, server string) error {
	_, err := x.Replace(ctx, server, nil)
	return err
}

// change is the difference between a server's segment and a new listing.
type change struct {
	docs   []*document
	put    map[string]Entry
	remove []string
	delta  Delta
}

func (x *Index) diff(server string, tools []tool.Tool) change {
	old := x.snap.Load().segment(server)
	c := change{put: make(map[string]Entry)}
	a := newAnalyzer()
	seen := make(map[string]bool, len(tools))
	for _, t := range tools {
		t.ID.Server = server
		if seen[t.ID.Name] {
			continue
		}
		seen[t.ID.Name] = true
		had, found := old.doc(t.ID.Name)
		if found && sameTool(had.tool, t) {
			c.docs = append(c.docs, had)
			c.delta.Kept++
			continue
		}
		if found {
			c.delta.Changed++
		} else {
			c.delta.Added++
		}
		c.docs = append(c.docs, a.analyse(t, x.weights))
		if len(t.Raw) > 0 { // what no upstream sent is not kept
			c.put[t.ID.String()] = newEntry(t)
		}
	}
	for _, d := range old.docs {
		if !seen[d.tool.ID.Name] {
			c.remove = append(c.remove, d.tool.ID.String())
			c.delta.Removed++
		}
	}
	return c
}

// install swaps the segment of server into the snapshot.
func (x *Index) install(server string, seg *segment) {
	x.swap.Lock()
	x.snap.Store(x.snap.Load().with(server, seg))
	x.swap.Unlock()
	for _, w := range x.workers() {
		w.wake()
	}
	x.changed()
}

// Get returns the tool of id.
func (x *Index) Get(id tool.ID) (tool.Tool, bool) {
	d, found := x.snap.Load().doc(id)
	if !found {
		return tool.Tool{}, false
	}
	return d.tool, true
}

// All yields every tool of this moment, by server and name.
func (x *Index) All() iter.Seq[tool.Tool] {
	return func(yield func(tool.Tool) bool) {
		for d := range x.snap.Load().all {
			if !yield(d.tool) {
				return
			}
		}
	}
}

// Rebuild analyses every tool again, writes the whole catalogue, and makes all
// vectors anew while the old ones serve. progress, which may be nil, is called
// from one goroutine at a time with the steps done: one for each tool, and
// another one for its vector. Searches go on meanwhile.
func (x *Index) Rebuild(ctx context.Context, progress func(done, total int)) error {
	if x.closed.Load() {
		return ErrClosed
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	snap, w := x.snap.Load(), x.worker.Load()
	total := snap.count
	if w != nil {
		total *= 2
	}
	done := 0
	for _, seg := range snap.segments {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("index: rebuild: %w", err)
		}
		if err := x.rebuildServer(seg.server); err != nil {
			return fmt.Errorf("index: rebuild: %w", err)
		}
		done += len(seg.docs)
		progress(done, total)
	}
	if w == nil {
		return nil
	}
	err := w.settle(ctx, true, func(vectors int) { progress(min(done+vectors, total), total) })
	if err != nil {
		return fmt.Errorf("index: rebuild: %w", err)
	}
	progress(total, total)
	return nil
}

func (x *Index) rebuildServer(server string) error {
	lock := x.servers.lock(server)
	defer lock.Unlock()
	old := x.snap.Load().segment(server)
	a := newAnalyzer()
	docs := make([]*document, len(old.docs))
	put := map[string]Entry{metaKey: {Meta: &Meta{Format: Format, Analyzer: analyzerVersion}}}
	for i, d := range old.docs {
		docs[i] = a.analyse(d.tool, x.weights)
		if len(d.tool.Raw) > 0 {
			put[d.tool.ID.String()] = newEntry(d.tool)
		}
	}
	x.install(server, newSegment(server, docs))
	if x.records == nil {
		return nil
	}
	return x.records.Update(put, nil)
}

// Status tells what the index holds.
func (x *Index) Status() Status {
	snap := x.snap.Load()
	s := Status{
		Tools: snap.count, Servers: make(map[string]int, len(snap.segments)), Format: Format, Rebuilt: x.rebuilt,
		BuildMS: math.Round(x.built.Seconds()*1e6) / 1e3, Searches: x.searches.Load(),
	}
	for _, seg := range snap.segments {
		s.Servers[seg.server] = len(seg.docs)
	}
	if w := x.worker.Load(); w != nil {
		s.Model = w.model.Name
		s.Vectors = snap.count - w.vectors.Load().lacking(snap)
		s.Made = max(s.Vectors, min(int(w.made.Load()), snap.count))
	}
	if w := x.next.Load(); w != nil {
		s.Next = w.model.Name
		s.Made = min(int(w.made.Load()), snap.count)
	}
	return s
}

func bySegmentServer(x, y *segment) int { return cmp.Compare(x.server, y.server) }

// sameTool reports whether two definitions say the same to an agent.
func sameTool(x, y tool.Tool) bool {
	if len(x.Raw) == 0 || len(y.Raw) == 0 {
		return reflect.DeepEqual(x, y)
	}
	return string(x.Raw) == string(y.Raw) || x.Hash() == y.Hash()
}
