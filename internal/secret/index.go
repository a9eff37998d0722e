package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// indexName is the entry with the JSON list of all names: the keyrings of macOS
// and Windows cannot be searched alike, and their API here cannot search at all.
const indexName = "__mcpproxy_index__"

// entryNames returns the names of all entries, ours included, sorted. What a
// search of the keyring finds counts; the index is for where there is none.
func entryNames() ([]string, error) {
	index, err := readIndex()
	if err != nil && !errors.Is(err, errIndexDamaged) {
		return nil, err // also for a search this keyring is locked or absent
	}
	found, noSearch := searchNames()
	if noSearch == nil {
		return tidy(found), nil
	}
	return index, err
}

// searchNames asks the Secret Service. Reading the index before has unlocked it.
func searchNames() ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := openService(ctx)
	if err != nil {
		return nil, err
	}
	return s.names(ctx)
}

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
		return nil, errIndexDamaged
	}
	return tidy(names), nil
}

func writeIndex(names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	return setEntry(indexName, string(text))
}

// tidy sorts names and leaves out what is no name of an entry, such as the
// index itself.
func tidy(names []string) []string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return checkEntry(n) != nil })
	slices.Sort(names)
	return slices.Compact(names)
}
