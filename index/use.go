package index

import (
	"context"
	"errors"
	"fmt"

	"mcpproxy/embed"
)

// ErrBusy is returned by [Index.Use] while another call of it is under way.
var ErrBusy = errors.New("another change of the embedding model is under way")

// Use makes e the embedder. The first one serves as soon as its stored vectors
// are read, the others follow in the background. Where one serves already, it
// goes on until e has made every vector that is not stored, and Use waits for
// that; after an error it goes on for good. Once Use returned nil the caller may
// close the embedder before, and closes e after the index.
func (x *Index) Use(ctx context.Context, e embed.Embedder) error {
	w, err := startWorker(Options{Embedder: e, Vectors: x.embeddings, Changed: x.changed}, x.log, x.snap.Load)
	if err != nil {
		return fmt.Errorf("index: use %s: %w", e.Model().Name, err)
	}
	first, err := x.enter(w)
	x.changed()
	if err == nil && !first {
		err = w.settle(ctx, false, func(int) {})
		x.leave(w, err == nil)
	}
	if err != nil {
		w.stop()
		return fmt.Errorf("index: use %s: %w", e.Model().Name, err)
	}
	return nil
}

// enter puts w in service if there is none, else makes it the next.
func (x *Index) enter(w *worker) (first bool, err error) {
	x.closing.Lock()
	defer x.closing.Unlock()
	switch {
	case x.closed.Load():
		return false, ErrClosed
	case x.next.Load() != nil:
		return false, ErrBusy
	case x.worker.Load() == nil:
		x.worker.Store(w)
		w.wake() // a Replace since it was started did not know it
		return true, nil
	}
	x.next.Store(w)
	w.wake()
	return false, nil
}

// leave ends w's time as the next, and that of the worker in service if w takes
// its place.
func (x *Index) leave(w *worker, replace bool) {
	x.closing.Lock()
	var old *worker
	if replace {
		old = x.worker.Swap(w)
	}
	x.next.Store(nil)
	x.closing.Unlock()
	if old != nil {
		old.stop()
	}
	x.changed()
}

// workers returns the one in service and the next, as far as there are any.
func (x *Index) workers() []*worker {
	var list []*worker
	for _, w := range []*worker{x.worker.Load(), x.next.Load()} {
		if w != nil {
			list = append(list, w)
		}
	}
	return list
}

// WaitVectors makes the vectors that are missing and returns once searches see
// them. Without an embedder it returns at once.
func (x *Index) WaitVectors(ctx context.Context) error {
	w := x.worker.Load()
	if w == nil {
		return nil
	}
	return w.settle(ctx, false, func(int) {})
}
