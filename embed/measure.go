package embed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Speed is what a model costs on this machine.
type Speed struct {
	Query    time.Duration // median of one query
	Passages float64       // descriptions of tools a second, in the background's batches
}

// measureFor is how long each half of a measurement lasts at least.
const measureFor = 300 * time.Millisecond

// Measure loads the model in dir as [NewHugot] would, whatever the length of its
// vectors, and returns that length and its speed. The error wraps [ErrModel] if
// the model's outputs are none of a sentence model.
func Measure(ctx context.Context, dir string) (dim int, s Speed, err error) {
	session, stop := context.WithCancel(ctx)
	h := &Hugot{ctx: session, stop: stop, loaded: make(chan struct{})}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := h.load(dir); err != nil {
		return 0, s, err
	}
	close(h.loaded)
	query := []string{"find the invoices of last month that nobody has paid yet"}
	if s.Query, err = h.median(ctx, Query, query); err != nil {
		return 0, s, err
	}
	passage := "create_issue: " + strings.Repeat("Opens a new issue in a repository. ", 6) + "Parameters: owner, repository, title, body"
	batch, err := h.median(ctx, Passage, slices.Repeat([]string{passage}, maxBatch))
	if err != nil {
		return 0, s, err
	}
	s.Passages = maxBatch / max(batch, time.Microsecond).Seconds()
	return h.info.Dim, s, nil
}

// median returns the middle one of the times that embedding texts takes.
func (h *Hugot) median(ctx context.Context, kind Kind, texts []string) (time.Duration, error) {
	var took []time.Duration
	for begin := time.Now(); len(took) < 3 || time.Since(begin) < measureFor; {
		t := time.Now()
		if _, err := h.Embed(ctx, kind, texts); err != nil {
			return 0, err
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// checkShape accepts one vector a text, or one a token, and fills in a length
// that the caller did not know.
func (h *Hugot) checkShape(dims []int64) error {
	if len(dims) != 2 && len(dims) != 3 {
		return fmt.Errorf("%w: its first output has %d axes, want 2 (text, dimension) or 3 (text, token, dimension)", ErrModel, len(dims))
	}
	width := int(dims[len(dims)-1])
	if h.info.Dim == 0 {
		h.info.Dim = width
	}
	if width <= 0 || width != h.info.Dim {
		return fmt.Errorf("%w: its vectors have %d numbers, want %d", ErrModel, width, h.info.Dim)
	}
	return nil
}
