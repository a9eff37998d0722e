package index

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"mcpproxy/embed"
	"mcpproxy/models"
)

// Pace of the vectors made in the background.
const (
	embedBatch   = 16               // tools for each call of the embedder
	publishEvery = 1024             // new vectors before searches see them, while more are to come
	embedRetry   = 30 * time.Second // after the embedder failed
)

// worker makes the vectors of new texts, in one goroutine. Only that goroutine
// touches known, words, failed and anew.
type worker struct {
	embedder embed.Embedder
	model    models.Info
	records  Records[Embedding]
	log      *zap.Logger
	changed  func()
	snap     func() *snapshot
	vectors  atomic.Pointer[vectors] // never nil
	made     atomic.Int64            // vectors of the snapshot's tools; searches may not see all yet

	known  map[textKey][]float32
	words  map[word][]float32 // of late interaction; empty for a word that has no vector
	failed map[textKey]bool   // the embedder refused these texts alone
	anew   bool               // known is being refilled; what is published stays until it is full

	woken   chan struct{}
	orders  chan order
	cancel  context.CancelFunc
	stopped chan struct{} // closed when the goroutine has ended
}

// order asks for what is missing, or for all vectors to be made again.
type order struct {
	anew     bool
	ctx      context.Context //nolint:containedctx // the caller's, for the length of its call
	progress func(vectors int)
	finished chan error
}

// startWorker loads the stored vectors, publishes them and begins with what is
// missing.
func startWorker(opt Options, log *zap.Logger, snap func() *snapshot) (*worker, error) {
	w := &worker{
		embedder: opt.Embedder, model: opt.Embedder.Model(), records: opt.Vectors, log: log, changed: opt.Changed, snap: snap,
		failed: make(map[textKey]bool), woken: make(chan struct{}, 1), orders: make(chan order), stopped: make(chan struct{}),
	}
	var err error
	if w.known, w.words, err = loadEmbeddings(w.records, snap(), w.model); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	if err := w.publish(ctx); err != nil {
		cancel()
		return nil, err
	}
	w.wake()
	go w.run(ctx)
	return w, nil
}

// wake makes the worker look at the snapshot again.
func (w *worker) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

func (w *worker) stop() {
	w.cancel()
	<-w.stopped
}

func (w *worker) run(ctx context.Context) {
	defer close(w.stopped)
	retry := time.NewTimer(embedRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.orders:
			o.finished <- w.obey(ctx, o)
			continue
		case <-w.woken:
		case <-retry.C:
			clear(w.failed)
		}
		retry.Stop()
		if err := w.catchUp(ctx, func(int) {}); err != nil && ctx.Err() == nil {
			w.log.Warn("vectors wait", zap.Error(err), zap.Duration("retry", embedRetry))
			retry.Reset(embedRetry)
		}
	}
}

// settle makes the vectors that are missing, or all of them anew, and waits
// until searches see them.
func (w *worker) settle(ctx context.Context, anew bool, progress func(vectors int)) error {
	o := order{ctx: ctx, anew: anew, progress: progress, finished: make(chan error, 1)}
	select {
	case w.orders <- o:
		return <-o.finished
	case <-w.stopped:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("vectors: %w", ctx.Err())
	}
}

// obey carries out o. What is published serves until everything is made.
func (w *worker) obey(ctx context.Context, o order) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.ctx, cancel)()
	clear(w.failed)
	old, oldWords := w.known, w.words
	if o.anew {
		w.known = make(map[textKey][]float32, len(old))
		w.words = make(map[word][]float32, len(oldWords))
	}
	w.anew = o.anew
	err := w.catchUp(ctx, o.progress)
	w.anew = false
	if err != nil {
		maps.Copy(old, w.known)
		maps.Copy(oldWords, w.words)
		w.known, w.words = old, oldWords
		return fmt.Errorf("vectors: %w", err)
	}
	return nil
}

// catchUp makes and publishes the vectors that the current snapshot lacks.
func (w *worker) catchUp(ctx context.Context, progress func(vectors int)) error {
	made := 0
	w.made.Store(int64(w.present()))
	for {
		batch := w.missing()
		if len(batch) == 0 {
			if err := w.embedWords(ctx); err != nil {
				return err
			}
			w.forget()
			return w.publish(ctx)
		}
		if err := w.embed(ctx, batch); err != nil {
			return err
		}
		made += len(batch)
		progress(made)
		w.made.Add(int64(len(batch)))
		w.changed()
		if made%publishEvery == 0 && !w.anew {
			if err := w.publish(ctx); err != nil {
				return err
			}
		}
	}
}

// present counts the documents that have a vector.
func (w *worker) present() (n int) {
	for d := range w.snap().all {
		if w.known[d.text] != nil {
			n++
		}
	}
	return n
}

// missing returns up to one batch of documents that have no vector.
func (w *worker) missing() map[textKey][passagesPerTool]string {
	batch := make(map[textKey][passagesPerTool]string, embedBatch)
	for d := range w.snap().all {
		if w.known[d.text] != nil || w.failed[d.text] {
			continue
		}
		batch[d.text] = passages(d.tool, readSchema(d.tool.InputSchema))
		if len(batch) == embedBatch {
			break
		}
	}
	return batch
}

// embed makes the vectors of batch. If the embedder refuses the batch each tool
// is tried alone, so that one bad text holds up no other tool.
func (w *worker) embed(ctx context.Context, batch map[textKey][passagesPerTool]string) error {
	keys := make([]textKey, 0, len(batch))
	texts := make([]string, 0, passagesPerTool*len(batch))
	for key, both := range batch {
		keys = append(keys, key)
		texts = append(texts, both[:]...)
	}
	made, err := w.call(ctx, texts)
	if err == nil {
		w.store(keys, made)
		return nil
	}
	var good, bad []textKey
	made = nil
	for i, key := range keys {
		one, oneErr := w.call(ctx, texts[passagesPerTool*i:passagesPerTool*(i+1)])
		if oneErr != nil {
			bad = append(bad, key)
			continue
		}
		good = append(good, key)
		made = append(made, one...)
	}
	if len(good) == 0 && len(keys) > 1 || ctx.Err() != nil {
		return fmt.Errorf("embed: %w", err)
	}
	for _, key := range bad {
		w.failed[key] = true
	}
	w.log.Warn("texts without a vector", zap.Int("texts", len(bad)), zap.Error(err))
	w.store(good, made)
	return nil
}

// call returns the vectors of each tool joined. It checks the embedder's answer,
// so that a wrong one never reaches the collection.
func (w *worker) call(ctx context.Context, texts []string) ([][]float32, error) {
	made, err := w.vectorsOf(ctx, embed.Passage, texts)
	if err != nil {
		return nil, err
	}
	joined := make([][]float32, 0, len(made)/passagesPerTool)
	for i, vector := range made {
		if i%passagesPerTool == 0 {
			joined = append(joined, make([]float32, 0, passagesPerTool*w.model.Dim))
		}
		tool := &joined[len(joined)-1]
		*tool = append(*tool, vector...)
	}
	return joined, nil
}

func (w *worker) store(keys []textKey, made [][]float32) {
	put := make(map[string]Embedding, len(keys))
	for i, key := range keys {
		w.known[key] = made[i]
		put[key.record(w.model.Digest)] = newEmbedding(made[i])
	}
	w.keep(put)
}

// keep stores vectors for the next start.
func (w *worker) keep(put map[string]Embedding) {
	if w.records == nil || len(put) == 0 {
		return
	}
	if err := w.records.Update(put, nil); err != nil {
		w.log.Warn("vectors are not kept", zap.Error(err)) // they serve all the same
	}
}

// forget drops vectors that no tool has when they outnumber those in use.
func (w *worker) forget() {
	w.forgetWords()
	snap := w.snap()
	if len(w.known) <= 2*snap.count+spareEmbeddings {
		return
	}
	used := make(map[textKey]bool, snap.count)
	for d := range snap.all {
		used[d.text] = true
	}
	maps.DeleteFunc(w.known, func(key textKey, _ []float32) bool { return !used[key] })
}

func (w *worker) publish(ctx context.Context) error {
	v, err := newVectors(ctx, w.snap(), w.known, w.words)
	if err != nil {
		return err
	}
	w.vectors.Store(v)
	w.made.Store(int64(w.present()))
	w.changed()
	return nil
}
