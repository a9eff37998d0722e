package index

import (
	"context"
	"fmt"

	"go.uber.org/zap"
)

// Notes of [Explain].
const (
	noteNoModel    = "bm25 only: no embedding model is loaded"
	noteNoVectors  = "bm25 only: vectors are still being made"
	noteQueryError = "bm25 only: the query could not be embedded"
)

// Search returns the hits of q, best first; equal ones are ordered by id. A
// query without a word has none, and that is no error. Hybrid mode falls back
// to BM25 where there are no vectors and [Explain].Note says so; Vector mode
// then returns [ErrNoEmbedder] or [ErrNoVectors]. The hits' tools are shared:
// treat them as immutable.
func (x *Index) Search(ctx context.Context, q Query) ([]Hit, error) { return x.find(ctx, q, true) }

// find is Search, with or without explanations.
func (x *Index) find(ctx context.Context, q Query, explain bool) ([]Hit, error) {
	if x.closed.Load() {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	switch q.Mode {
	case "":
		q.Mode = Hybrid
	case Hybrid, BM25, Vector:
	default:
		return nil, fmt.Errorf("%w %q: want hybrid, bm25 or vector", ErrBadMode, q.Mode)
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	x.searches.Add(1)
	r := parse(q.Text, x.weights)
	if len(r.groups) == 0 {
		return nil, nil
	}
	return x.search(ctx, q, r, explain)
}

func (x *Index) search(ctx context.Context, q Query, r request, explain bool) ([]Hit, error) {
	a := &arms{snap: x.snap.Load(), request: r}
	a.snap.weigh(&a.request)
	dense := borrowScores(a.snap.count)
	defer scorePool.Put(dense)
	a.snap.score(a.request, q.Server, dense)
	a.sums = dense.sum
	width := q.Limit
	if q.Mode != BM25 {
		if err := x.vectorArm(ctx, q, a); err != nil {
			return nil, err
		}
		if a.query != nil {
			width = max(width, pool)
		}
	}
	a.lexical = dense.top(width)
	return a.hits(a.fuse(q.Mode, q.Server, q.Limit), explain), nil
}

// vectorArm fills the vector side of a, or its note.
func (x *Index) vectorArm(ctx context.Context, q Query, a *arms) error {
	missing := func(note string, err error) error {
		if q.Mode == Vector {
			return fmt.Errorf("search: %w", err)
		}
		a.note = note
		return nil
	}
	w := x.worker.Load()
	if w == nil {
		return missing(noteNoModel, ErrNoEmbedder)
	}
	v := w.vectors.Load()
	if v.collection.Count() == 0 {
		return missing(noteNoVectors, ErrNoVectors)
	}
	query, err := w.ask(ctx, clip(q.Text, maxQueryBytes), v.words, a)
	if err == nil {
		a.nearest, err = v.nearest(ctx, a.snap, q.Server, query, max(pool, q.Limit))
	}
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("search: %w", ctx.Err())
		}
		if x.worker.Load() != w { // w's embedder was closed behind it
			return x.vectorArm(ctx, q, a)
		}
		x.log.Warn("query has no vector", zap.Error(err))
		return missing(noteQueryError, err)
	}
	a.vectors, a.query = v, query
	if n := v.lacking(a.snap); n > 0 {
		a.note = fmt.Sprintf("vectors of %d of %d tools are still being made", n, a.snap.count)
	}
	return nil
}
