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
// [ErrUnavailable].
type Keyring struct{}

var _ Store = Keyring{}

// Get implements [Store].
func (Keyring) Get(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	value, err := keyring.Get(service, name)
	if err != nil {
		return "", translate(name, err)
	}
	return value, nil
}

// Set implements [Store]. A value over the system's limit (about 2,500 bytes on
// Windows, 3,000 on macOS) returns an error wrapping [ErrTooBig].
func (Keyring) Set(name, value string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	indexing.Lock()
	defer indexing.Unlock()
	if err := keyring.Set(service, name, value); err != nil {
		return translate(name, err)
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
}

// Delete implements [Store].
func (Keyring) Delete(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	indexing.Lock()
	defer indexing.Unlock()
	gone := keyring.Delete(service, name)
	if gone != nil && !errors.Is(gone, keyring.ErrNotFound) {
		return translate(name, gone)
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
	if gone != nil {
		return translate(name, gone)
	}
	return nil
}

// List implements [Store]. It knows the secrets that were set through this
// package.
func (Keyring) List() ([]string, error) {
	indexing.Lock()
	defer indexing.Unlock()
	return readIndex()
}

func readIndex() ([]string, error) {
	text, err := keyring.Get(service, indexName)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, translate(indexName, err)
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("keyring: the list of names is damaged; delete the entry %q of service %q and set the secrets again", indexName, service)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return CheckName(n) != nil })
	slices.Sort(names)
	return slices.Compact(names), nil
}

func writeIndex(names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	if err := keyring.Set(service, indexName, string(text)); err != nil {
		return translate(indexName, err)
	}
	return nil
}

// translate names the secret and the kind of failure. The system's own words
// are kept where they say why; they never hold a value.
func translate(name string, err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return fmt.Errorf("%w: %s", ErrTooBig, name)
	}
	return fmt.Errorf("%w: %w\nhint: unlock the login keyring, or use ${env:NAME} placeholders on a machine without one", ErrUnavailable, err)
}
