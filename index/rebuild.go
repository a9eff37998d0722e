package index

import (
	"context"
	"fmt"
)

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
