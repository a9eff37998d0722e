package quarantine

import (
	"errors"
	"fmt"
	"time"

	"mcpproxy/internal/store"
)

// Prefix begins the name of every bucket that the gate keeps: what a backup of
// the approvals copies.
const Prefix = "quarantine."

// Loss is why approvals are gone: the store was damaged or missing, and a new
// one stands in its place, or a record of it is not where it belongs, and what
// can be read stays approved. While it is on record nothing passes the gate for the
// first time without a person: neither trust at first sight nor a policy, which
// would take a server that was held for a new one.
type Loss struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	Kept   string    `json:"kept,omitempty"` // where the damaged file lies
	Before uint64    `json:"before"`         // the last backup from before the loss; 0: there is none
}

const lossKey = "store"

func losses(db *store.DB) (store.Bucket[Loss], error) {
	return store.OpenBucket[Loss](db, Prefix+"loss")
}

// RecordLoss writes to a new store that it stands in for a lost one. Only
// [Restore] of a copy from before ends that.
func RecordLoss(db *store.DB, l Loss) error {
	b, err := losses(db)
	if err == nil {
		err = b.Put(lossKey, l)
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// LossOf returns the loss on record in db, nil if there is none. A record that
// cannot be read is a loss.
func LossOf(db *store.DB) (*Loss, error) {
	b, err := losses(db)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	l, err := b.Get(lossKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return &Loss{Reason: err.Error()}, nil
	}
	return &l, nil
}

// loss is [LossOf], with what load found out of place put on record.
func (l *ledger) loss() (*Loss, error) {
	known, err := LossOf(l.db)
	if err != nil || known != nil || l.misplaced == "" {
		return known, err
	}
	found := Loss{Time: l.now().UTC(), Reason: l.misplaced}
	return &found, RecordLoss(l.db, found)
}

// Loss returns why approvals are gone, nil if none are.
func (g *Gate) Loss() *Loss { return g.loss }

// wary reports whether a server that no person approved since the loss stays
// held whatever the configuration says.
func (g *Gate) wary(s *serverView) bool { return g.loss != nil && s.rec.Approved == nil }
