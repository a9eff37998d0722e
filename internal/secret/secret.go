// Package secret keeps named secrets in the operating system's keyring and
// expands the placeholders that name them.
//
// A secret's value leaves this package only as the result of Get and [Expand];
// no error holds one.
package secret

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of a [Store] and of [Expand].
var (
	ErrNotFound    = errors.New("secret not found")
	ErrUnavailable = errors.New("keyring unavailable")
	ErrLocked      = errors.New("it is locked") // always together with ErrUnavailable
	ErrTooBig      = errors.New("secret is too big for this keyring")
	ErrName        = errors.New("not a name for a secret")
	ErrUnresolved  = errors.New("placeholder cannot be resolved")
)

// Store holds secrets by name. Safe for concurrent use. Names that begin with two
// underscores are this program's own, such as the key of a [Vault]: List leaves
// them out, and [CheckName] refuses them where people name secrets.
type Store interface {
	// Get returns an error wrapping [ErrNotFound] if there is none of that name.
	Get(name string) (string, error)
	Set(name, value string) error
	// Delete returns an error wrapping [ErrNotFound] if there is none of that name.
	Delete(name string) error
	// List returns the names of secrets that people set, sorted.
	List() ([]string, error)
	// Ready returns what Set would fail with whatever it is given: no keyring, a
	// wrong passphrase, a folder that cannot be written.
	Ready() error
}

// CheckName returns an error wrapping [ErrName] if name cannot stand in a
// placeholder: it must be 1 to 128 printable characters without spaces and
// braces, and not begin with two underscores, which are ours.
func CheckName(name string) error {
	if isOwn(name) {
		return fmt.Errorf("%w: names that begin with __ belong to mcpproxy itself", ErrName)
	}
	return checkEntry(name)
}

// isOwn reports whether an entry is this program's.
func isOwn(name string) bool { return strings.HasPrefix(name, "__") }

// checkEntry is CheckName for all entries but the index.
func checkEntry(name string) error {
	bad := name == "" || name == indexName || utf8.RuneCountInString(name) > 128 ||
		strings.ContainsFunc(name, func(r rune) bool {
			return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == utf8.RuneError || r == '{' || r == '}'
		})
	if bad {
		return fmt.Errorf("%w: use 1 to 128 letters, digits and punctuation without spaces or braces", ErrName)
	}
	return nil
}
