package index

import (
	"errors"
	"iter"
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
