package index

import (
	"context"
	"fmt"
	"reflect"

	"mcpproxy/internal/tool"
)

// Delta says what a [Index.Replace] changed, in tools.
type Delta struct{ Added, Changed, Removed, Kept int }

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

// sameTool reports whether two definitions say the same to an agent.
func sameTool(x, y tool.Tool) bool {
	if len(x.Raw) == 0 || len(y.Raw) == 0 {
		return reflect.DeepEqual(x, y)
	}
	return string(x.Raw) == string(y.Raw) || x.Hash() == y.Hash()
}
