// Package secrettest has a [secret.Store] for tests.
package secrettest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"mcpproxy/internal/secret"
)

// Memory is a store that is gone with the process. The zero value is empty.
// Safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	values map[string]string
	fault  error
}

var _ secret.Store = (*Memory)(nil)

// Fail makes everything return err from now on; nil ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = err
}

// Get implements [secret.Store].
func (m *Memory) Get(name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[name]
	if m.fault == nil && !ok {
		return "", fmt.Errorf("%w: %s", secret.ErrNotFound, name)
	}
	return value, m.fault
}

// Set implements [secret.Store].
func (m *Memory) Set(name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return m.fault
	}
	if m.values == nil {
		m.values = map[string]string{}
	}
	m.values[name] = value
	return nil
}

// Delete implements [secret.Store].
func (m *Memory) Delete(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[name]; m.fault == nil && !ok {
		return fmt.Errorf("%w: %s", secret.ErrNotFound, name)
	}
	if m.fault == nil {
		delete(m.values, name)
	}
	return m.fault
}

// List implements [secret.Store].
func (m *Memory) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := slices.Sorted(maps.Keys(m.values))
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "__") }), m.fault
}

// Ready implements [secret.Store].
func (m *Memory) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}
