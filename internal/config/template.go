package config

import (
	_ "embed" // the template is a file so that it can be read as one
	"slices"
)

//go:embed template.jsonc
var template []byte

// Template is the commented file that a new user starts from: valid, all
// defaults, every example commented out. The slice is the caller's.
func Template() []byte { return slices.Clone(template) }
