package secret

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/zalando/go-keyring"
)

// service is what all entries are filed under.
const service = "mcpproxy"

// indexing serialises the read and write of the index within this process; the
// keyring is one for the whole user.
var indexing sync.Mutex

// Keyring is the operating system's keyring under the service name "mcpproxy":
// Keychain, Credential Manager or Secret Service. The zero value is ready.
// Without a usable keyring every method returns an error wrapping
// [ErrUnavailable], after 5 s at most.
type Keyring struct {
	// LockFile serialises changes of the list of names between processes; empty
	// means within this one only.
	LockFile string
}

var _ Store = Keyring{}

// Get implements [Store].
func (Keyring) Get(name string) (string, error) {
	if err := checkEntry(name); err != nil {
		return "", err
	}
	return getEntry(name)
}

// Set implements [Store]. A value over the system's limit (about 2,500 bytes on
// Windows, 3,000 on macOS) returns an error wrapping [ErrTooBig].
func (k Keyring) Set(name, value string) error {
	if err := checkEntry(name); err != nil {
		return err
	}
	return k.indexing(func() error {
		if err := setEntry(name, value); err != nil {
			return err
		}
		names, err := entryNames()
		if err != nil {
			return err
		}
		return writeIndex(tidy(append(names, name)))
	})
}

// Delete implements [Store].
func (k Keyring) Delete(name string) error {
	if err := checkEntry(name); err != nil {
		return err
	}
	return k.indexing(func() error {
		gone := deleteEntry(name)
		if gone != nil && !errors.Is(gone, ErrNotFound) {
			return gone
		}
		names, err := entryNames()
		if err != nil {
			return err
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == name }) // also one that another program deleted
		return errors.Join(gone, writeIndex(names))
	})
}

// List implements [Store]. Where the system can search its keyring, the list is
// what that finds, also what other programs set for the service.
func (k Keyring) List() ([]string, error) {
	names, err := entryNames()
	return slices.DeleteFunc(names, isOwn), err
}

// indexing runs f while nobody else changes the index.
func (k Keyring) indexing(f func() error) error {
	indexing.Lock()
	defer indexing.Unlock()
	if k.LockFile == "" {
		return f()
	}
	return withFileLock(k.LockFile, f)
}

func getEntry(name string) (string, error) {
	return request(name, func() (string, error) { return keyring.Get(service, name) })
}

func setEntry(name, value string) error {
	_, err := request(name, func() (string, error) { return "", keyring.Set(service, name, value) })
	return err
}

func deleteEntry(name string) error {
	_, err := request(name, func() (string, error) { return "", keyring.Delete(service, name) })
	return err
}

// request is one request about the entry name, with a deadline and errors in
// the words of this package.
func request(name string, f func() (string, error)) (string, error) {
	value, err := within(patience, func() (string, error) {
		if err := mayAsk(); err != nil {
			return "", err
		}
		return f()
	})
	switch {
	case err == nil:
		return value, nil
	case errors.Is(err, keyring.ErrNotFound):
		return "", fmt.Errorf("%w: %s", ErrNotFound, name)
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return "", fmt.Errorf("%w: %s", ErrTooBig, name)
	}
	return "", unavailable(err)
}

// unavailable says why the keyring cannot be used and what to do. The system's
// own words are kept; they never hold a value.
func unavailable(err error) error {
	text := err.Error()
	hint := `start a keyring service, or keep secrets in an encrypted file: "secrets_backend": "file" in the configuration`
	switch {
	case errors.Is(err, errNoAnswer):
		hint = "answer its window if there is one, then try again"
	case errors.Is(err, errNoCollection):
		hint = "log in to the desktop once, or make one: gnome-keyring-daemon --unlock"
	case errors.Is(err, ErrLocked), strings.Contains(text, "failed to unlock"), strings.Contains(text, "IsLocked"):
		err, hint = ErrLocked, "unlock the login keyring (log in to the desktop, or gnome-keyring-daemon --unlock), then try again"
	case runtime.GOOS == "linux":
		err = fmt.Errorf("%w: %w", errNoService, err)
	}
	return fmt.Errorf("%w: %w\nhint: %s", ErrUnavailable, err, hint)
}
