package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/zalando/go-keyring"
)

const (
	service = "mcpproxy"
	// indexName holds the JSON list of all names, as keyrings cannot be listed
	// alike on every system.
	indexName = "__mcpproxy_index__"
)

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
		names, err := readIndex()
		if err != nil {
			return err
		}
		i, known := slices.BinarySearch(names, name)
		if known {
			return nil
		}
		return writeIndex(slices.Insert(names, i, name))
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
		names, err := readIndex()
		if err != nil {
			return err
		}
		if i, known := slices.BinarySearch(names, name); known { // also one that another program deleted
			if err := writeIndex(slices.Delete(names, i, i+1)); err != nil {
				return err
			}
		}
		return gone
	})
}

// List implements [Store]. Where the system can search its keyring, the list is
// what that finds, also what other programs set for the service.
func (k Keyring) List() (names []string, err error) {
	err = k.indexing(func() error {
		names, err = readIndex()
		return err
	})
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

// readIndex returns the names of all entries, ours included.
func readIndex() ([]string, error) {
	text, err := getEntry(indexName)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("keyring: the list of names is damaged; delete the entry %q of service %q and set the secrets again", indexName, service)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return checkEntry(n) != nil })
	slices.Sort(names)
	return slices.Compact(names), nil
}

func writeIndex(names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	return setEntry(indexName, string(text))
}

func getEntry(name string) (string, error) {
	value, err := within(patience, func() (string, error) { return keyring.Get(service, name) })
	return value, translate(name, err)
}

func setEntry(name, value string) error {
	_, err := within(patience, func() (struct{}, error) { return struct{}{}, keyring.Set(service, name, value) })
	return translate(name, err)
}

func deleteEntry(name string) error {
	_, err := within(patience, func() (struct{}, error) { return struct{}{}, keyring.Delete(service, name) })
	return translate(name, err)
}

// translate names the secret and the kind of failure. The system's own words
// are kept where they say why; they never hold a value.
func translate(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return fmt.Errorf("%w: %s", ErrTooBig, name)
	}
	return fmt.Errorf("%w: %w\nhint: unlock the login keyring, or use ${env:NAME} placeholders on a machine without one", ErrUnavailable, err)
}
