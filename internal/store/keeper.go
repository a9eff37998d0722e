package store

import (
	"errors"
	"sync"
	"time"
)

// Keeper makes a backup soon after something changed, in the background: nobody
// who changes something waits for it. Safe for concurrent use.
type Keeper struct {
	db  *DB
	opt KeeperOptions

	once    sync.Once
	changed chan struct{}
	quit    chan struct{}
	done    chan struct{}
	err     error // of the last backup; read after done
}

// KeeperOptions of [NewKeeper]. Prefix is needed.
type KeeperOptions struct {
	Prefix string // of the buckets to copy
	Floor  uint64 // see DB.Backup
	// Quiet is how long nothing must change before a copy is made; 0 means 1 s.
	// While changes go on, one is made every ten times as long.
	Quiet  time.Duration
	Failed func(error) // told when a backup cannot be made; nil: nobody
}

// NewKeeper starts a keeper of db, which must be closed before db is.
func NewKeeper(db *DB, opt KeeperOptions) *Keeper {
	if opt.Quiet <= 0 {
		opt.Quiet = time.Second
	}
	if opt.Failed == nil {
		opt.Failed = func(error) {}
	}
	k := &Keeper{db: db, opt: opt, changed: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go k.run()
	return k
}

// Changed says that something is to be copied. It never blocks.
func (k *Keeper) Changed() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Close makes the backup that is due, and returns its error.
func (k *Keeper) Close() error {
	k.once.Do(func() { close(k.quit) })
	<-k.done
	return k.err
}

func (k *Keeper) run() {
	defer close(k.done)
	var due *time.Timer
	var latest time.Time
	ring := make(<-chan time.Time)
	for {
		select {
		case <-k.changed:
			now := time.Now()
			if due == nil {
				due, latest = time.NewTimer(k.opt.Quiet), now.Add(10*k.opt.Quiet)
				ring = due.C
			} else {
				due.Reset(min(k.opt.Quiet, max(latest.Sub(now), 0)))
			}
		case <-ring:
			due, ring = nil, nil
			k.backup()
		case <-k.quit:
			select {
			case <-k.changed:
				k.backup()
			default:
				if due != nil {
					due.Stop()
					k.backup()
				}
			}
			return
		}
	}
}

func (k *Keeper) backup() {
	_, err := k.db.Backup(k.opt.Prefix, k.opt.Floor)
	if err != nil && !errors.Is(k.err, err) {
		k.opt.Failed(err)
	}
	k.err = err
}
