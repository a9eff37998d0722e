package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"mcpproxy/internal/client"
	"mcpproxy/internal/store"
	"mcpproxy/quarantine"
)

// openStore opens the database. While serving, a damaged one is set aside and
// the program begins on a new one with every server held; so it does anywhere if
// there is none and yet there are backups of it. A command alone only says so.
func (a *App) openStore() (*store.DB, error) {
	backups, err := store.Backups(a.dir)
	if err != nil {
		return nil, err
	}
	reason := "the database is gone"
	if !store.Missing(a.dir) || len(backups) == 0 {
		db, err := store.Open(a.dir)
		if !errors.Is(err, store.ErrDamaged) {
			return db, err
		}
		if !a.serving {
			return nil, fmt.Errorf("%w\n%s", err, damageHint)
		}
		reason = err.Error()
	}
	if _, err := supplant(a.dir, reason, backups); err != nil {
		return nil, err
	}
	return store.Open(a.dir)
}

const damageHint = "hint: mcpproxy quarantine restore brings back a checked copy of your approvals; " +
	"mcpproxy serve starts without them, every server held"

// supplant puts a new database in the place of the one that is lost, with that
// on record.
func supplant(dir, reason string, backups []store.Backup) (kept string, err error) {
	loss := quarantine.Loss{Time: time.Now().UTC(), Reason: reason}
	if len(backups) > 0 {
		loss.Before = backups[0].Seq
	}
	return store.Supplant(dir, func(db *store.DB, kept string) error {
		loss.Kept = kept
		return quarantine.RecordLoss(db, loss)
	})
}

// keepBackups copies the approvals after each change of them, in the background.
func (a *App) keepBackups() error {
	loss := a.gate.Loss()
	opt := store.KeeperOptions{Prefix: quarantine.Prefix, Failed: func(err error) {
		a.log.Error("no backup of the approvals", zap.Error(err))
	}}
	if loss != nil {
		if loss.Before == 0 { // found by the gate, which knows of no backups
			list, err := store.Backups(a.dir)
			if err != nil {
				return err
			}
			if len(list) > 0 {
				loss.Before = list[0].Seq
				if err := quarantine.RecordLoss(a.db, *loss); err != nil {
					return err
				}
			}
		}
		opt.Floor = loss.Before
	}
	if loss != nil && a.serving {
		a.log.Error("approvals are lost: what is not approved any more waits until you approve it or restore a backup",
			zap.String("reason", loss.Reason), zap.String("kept", loss.Kept))
	}
	a.backups = store.NewKeeper(a.db, opt)
	if a.serving && loss == nil {
		a.backups.Changed() // an earlier version made none
	}
	return nil
}

// beforeLoss returns the newest sound copy from before the loss, or the newest
// of all if nothing is lost; -1 if there is none.
func beforeLoss(list []store.Backup, loss *quarantine.Loss) int {
	return slices.IndexFunc(list, func(b store.Backup) bool {
		return b.Err == nil && (loss == nil || b.Seq <= loss.Before)
	})
}

// lost is what a person is told about lost approvals; nil if none are.
func (a *App) lost() *client.Loss {
	loss := a.gate.Loss()
	if loss == nil {
		return nil
	}
	dto := &client.Loss{Time: loss.Time, Reason: loss.Reason, Kept: loss.Kept}
	if list, err := store.Backups(a.dir); err == nil {
		if i := beforeLoss(list, loss); i >= 0 {
			dto.Backup = &client.Backup{Time: list[i].Time, Records: list[i].Records}
		}
	}
	return dto
}
