package secret

import "context"

// NoService leaves the Secret Service out until undo is called.
func NoService() (undo func()) {
	openService = func(context.Context) (*secretService, error) { return nil, errNoService }
	return func() { openService = dialService }
}

// CheapScrypt makes new files open in a millisecond.
func CheapScrypt() { workFactor = 8 }
