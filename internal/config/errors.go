package config

import "errors"

// Errors of a [File].
var (
	ErrNoServer = errors.New("no such server in the configuration")
	ErrExists   = errors.New("a server of that name is already in the configuration")
	ErrReadOnly = errors.New("the configuration file is read-only")
)
