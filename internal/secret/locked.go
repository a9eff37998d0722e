package secret

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Why a keyring cannot be used; all are reported under [ErrUnavailable].
var (
	errNoService    = errors.New("no keyring service is running")
	errNoCollection = errors.New("the keyring service has no default keyring")
	errIndexDamaged = errors.New("keyring: the list of names is damaged: delete the entry " + indexName + " of service " + service + " and set the secrets again")
)

// openService is dialService, or what a test puts in its place.
var openService = dialService

// promptGap is the least time between two questions for the keyring's password
// by one process: a server that is tried again and again must not open a window
// each time.
const promptGap = 5 * time.Minute

// prompted is when this process last made the keyring ask.
var prompted struct {
	sync.Mutex
	at time.Time
}

// mayAsk returns an error wrapping [ErrLocked] if the keyring is known to be
// locked and asked for its password a short while ago, [errNoCollection] or
// [errNoAnswer]. Otherwise the request that follows may make it ask.
func mayAsk() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := openService(ctx)
	switch {
	case errors.Is(err, errNoCollection):
		return err
	case ctx.Err() != nil:
		return errNoAnswer // and the request itself would hang for good
	case err != nil:
		return nil // the request itself will say why
	}
	if locked, err := s.locked(ctx); err != nil || !locked {
		return nil
	}
	prompted.Lock()
	defer prompted.Unlock()
	if now := time.Now(); prompted.at.IsZero() || now.Sub(prompted.at) >= promptGap {
		prompted.at = now
		return nil
	}
	return ErrLocked
}
