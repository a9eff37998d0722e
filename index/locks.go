package index

import (
	"maps"
	"slices"
	"sync"
)

// serverLocks lets changes of one server wait for each other and those of
// different servers share a disk write.
type serverLocks struct {
	mu sync.Mutex
	of map[string]*serverLock
}

// serverLock is held while a server's tools change. put and remove are what an
// earlier write failed to store.
type serverLock struct {
	sync.Mutex
	put    map[string]Entry
	remove []string
}

// lock returns the lock of server, held.
func (l *serverLocks) lock(server string) *serverLock {
	l.mu.Lock()
	if l.of == nil {
		l.of = make(map[string]*serverLock)
	}
	lock := l.of[server]
	if lock == nil {
		lock = &serverLock{}
		l.of[server] = lock
	}
	l.mu.Unlock()
	lock.Lock()
	return lock
}

// pending returns what is to be written for c and for what is owed.
func (l *serverLock) pending(c change) (put map[string]Entry, remove []string) {
	if len(l.put)+len(l.remove) == 0 {
		return c.put, c.remove
	}
	put = maps.Clone(l.put)
	if put == nil {
		put = make(map[string]Entry)
	}
	gone := make(map[string]bool)
	for _, key := range slices.Concat(l.remove, c.remove) {
		gone[key] = true
		delete(put, key)
	}
	for key, e := range c.put {
		put[key] = e
		delete(gone, key)
	}
	return put, slices.Collect(maps.Keys(gone))
}

// owe remembers a write that failed; nothing is owed after one that succeeded.
func (l *serverLock) owe(put map[string]Entry, remove []string) { l.put, l.remove = put, remove }
