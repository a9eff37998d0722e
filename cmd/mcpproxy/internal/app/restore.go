package app

import (
	"errors"
	"fmt"
	"path/filepath"

	"mcpproxy/internal/audit"
	"mcpproxy/internal/store"
	"mcpproxy/quarantine"
)

// Restorer brings approvals back from a backup while no instance runs: it has the
// data directory's lock where the database is sound enough to be locked.
type Restorer struct {
	dir    string
	db     *store.DB // nil: damaged or gone
	reason string    // why db is nil
}

// Copy is one backup with how many servers and definitions it approves.
type Copy struct {
	store.Backup
	Approvals int
}

// Copies returns the backups in opt's data directory, newest first, each
// verified; an instance may run.
func Copies(opt Options) ([]Copy, error) {
	a := &App{opt: opt}
	_, _ = a.locate() // a faulty file does not matter here
	list, err := store.Backups(a.dir)
	if err != nil {
		return nil, err
	}
	copies := make([]Copy, len(list))
	for i, b := range list {
		copies[i].Backup = b
		if b.Err != nil {
			continue
		}
		records, err := b.Load()
		if err == nil {
			copies[i].Approvals, err = quarantine.Approvals(records)
		}
		copies[i].Err = err
	}
	return copies, nil
}

// OpenRestorer returns an error wrapping [store.ErrLocked] if an instance runs.
func OpenRestorer(opt Options) (*Restorer, error) {
	a := &App{opt: opt}
	_, _ = a.locate()
	r := &Restorer{dir: a.dir}
	if store.Missing(a.dir) {
		r.reason = "the database is gone"
		return r, nil
	}
	var err error
	if r.db, err = store.Open(a.dir); errors.Is(err, store.ErrDamaged) {
		r.reason = err.Error()
		return r, nil
	}
	return r, err
}

// Choose returns the number, from 0, of the newest sound copy from before
// approvals were lost, or of the newest sound one if none were; -1 if there is
// none.
func (r *Restorer) Choose(copies []Copy) (int, error) {
	loss, err := r.loss()
	if err != nil {
		return -1, err
	}
	list := make([]store.Backup, len(copies))
	for i, c := range copies {
		list[i] = c.Backup
	}
	return beforeLoss(list, loss), nil
}

// Lost reports whether the database is damaged, gone, or in the place of such a
// one.
func (r *Restorer) Lost() bool {
	if r.db == nil {
		return true
	}
	loss, err := r.loss()
	return loss != nil || err != nil
}

// loss is what the database has on record; nil without a database too.
func (r *Restorer) loss() (*quarantine.Loss, error) {
	if r.db == nil {
		return nil, nil
	}
	return quarantine.LossOf(r.db)
}

// Plan tells what [Restorer.Restore] would change.
func (r *Restorer) Plan(c Copy) (quarantine.Restoration, error) {
	records, err := c.Load()
	if err != nil {
		return quarantine.Restoration{}, err
	}
	latest, err := r.latest()
	if err != nil {
		return quarantine.Restoration{}, err
	}
	return quarantine.PlanRestore(r.db, records, latest)
}

// latest returns the records of the newest copy from before approvals were lost:
// what the lost database knew. It is nil where none are lost.
func (r *Restorer) latest() ([]store.Record, error) {
	if !r.Lost() {
		return nil, nil
	}
	list, err := store.Backups(r.dir)
	if err != nil {
		return nil, err
	}
	loss, err := r.loss()
	if err != nil {
		return nil, err
	}
	if i := beforeLoss(list, loss); i >= 0 {
		return list[i].Load()
	}
	return nil, nil
}

// Restore puts the approvals of c in the place of those there are. A damaged
// database is set aside first. What agents could search is listed anew at the
// next start.
func (r *Restorer) Restore(c Copy) error {
	records, err := c.Load()
	if err != nil {
		return err
	}
	if r.db == nil {
		list, err := store.Backups(r.dir)
		if err != nil {
			return err
		}
		if _, err := supplant(r.dir, r.reason, list); err != nil {
			return err
		}
		if r.db, err = store.Open(r.dir); err != nil {
			return err
		}
	}
	latest, err := r.latest()
	if err != nil {
		return err
	}
	plan, err := quarantine.PlanRestore(r.db, records, latest)
	if err != nil {
		return err
	}
	if err := quarantine.Restore(r.db, records, latest, "catalog"); err != nil {
		return err
	}
	return r.record(c, plan)
}

func (r *Restorer) record(c Copy, p quarantine.Restoration) error {
	log, err := audit.Open(filepath.Join(r.dir, "audit"), audit.Options{})
	if err != nil {
		return err
	}
	log.Record(audit.Entry{
		What: audit.Restored, Actor: audit.Local, Hash: c.Sum, Outcome: audit.OK,
		Detail: fmt.Sprintf("copy %d of %s: %d gained, %d lost, %d changed", c.Seq, c.Time.Format("2006-01-02T15:04:05Z"), len(p.Gained), len(p.Lost), len(p.Changed)),
	})
	return log.Close()
}

// Close releases the data directory.
func (r *Restorer) Close() error {
	if r.db == nil {
		return nil
	}
	return r.db.Close()
}
