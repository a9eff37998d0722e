package secret

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"mcpproxy/internal/escape"
	"mcpproxy/internal/hint"
)

// Expand replaces every ${env:NAME} by that environment variable and every
// ${keyring:name} by that secret, anywhere in s, once: what it puts in is not
// expanded again. Any other ${...} stays as it is. A variable that is not set, a
// secret that cannot be read or a placeholder that is not closed returns an
// error wrapping [ErrUnresolved] that names the placeholder and the cure.
// keyring is asked only if s names it.
func Expand(s string, keyring Store) (string, error) {
	return Expander{Keyring: keyring}.Expand(s)
}

// Expander is [Expand] for one who wants to know what it puts in.
type Expander struct {
	Keyring Store // nil: there is none
	// Resolved, if set, is told each value and where it is from: "env" or
	// "keyring", and its name there.
	Resolved func(kind, name, value string)
}

// Expand is the function of that name.
func (e Expander) Expand(s string) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		kind, name, rest, closed := placeholder(after)
		if kind == "" {
			out.WriteString("${")
			s = after
			continue
		}
		if !closed {
			return "", unresolved{fmt.Errorf("${%s: has no closing brace", kind)}
		}
		value, err := resolve(kind, name, e.Keyring)
		if err != nil {
			return "", err
		}
		if e.Resolved != nil {
			e.Resolved(kind, name, value)
		}
		out.WriteString(value)
		s = rest
	}
}

// placeholder splits "env:NAME}rest". kind is empty if s begins otherwise.
func placeholder(s string) (kind, name, rest string, closed bool) {
	for _, kind := range []string{"env", "keyring"} {
		if after, found := strings.CutPrefix(s, kind+":"); found {
			name, rest, closed := strings.Cut(after, "}")
			return kind, name, rest, closed
		}
	}
	return "", "", "", false
}

// unresolved makes err one that wraps ErrUnresolved, in fewer words.
type unresolved struct{ error }

func (unresolved) Is(target error) bool { return target == ErrUnresolved }
func (e unresolved) Unwrap() error      { return e.error }

func resolve(kind, name string, keyring Store) (string, error) {
	if err := CheckName(name); err != nil {
		return "", unresolved{fmt.Errorf("${%s:%q}: %w", kind, escape.Clip(name, 16), err)} // it may be a mistyped secret
	}
	if kind == "env" {
		if value, ok := os.LookupEnv(name); ok {
			return value, nil
		}
		return "", unresolved{fmt.Errorf("${env:%s} is not set in the environment of mcpproxy", name)}
	}
	if keyring == nil {
		return "", unresolved{fmt.Errorf("${keyring:%s}: %w", name, ErrUnavailable)}
	}
	value, err := keyring.Get(name)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", unresolved{fmt.Errorf("${keyring:%s} is not set: run `%s`", name, hint.Command("secrets", "set", name))}
	case err != nil:
		return "", unresolved{fmt.Errorf("${keyring:%s}: %w", name, err)}
	}
	return value, nil
}

// Names returns the names of the keyring's secrets that the texts ask for,
// sorted.
func Names(texts ...string) (names []string) {
	for _, text := range texts {
		for _, r := range References(text) {
			name, ok := strings.CutPrefix(strings.TrimSuffix(r, "}"), "${keyring:")
			if ok && CheckName(name) == nil {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// References returns the placeholders of s as they are written, such as
// ${keyring:name}, in their order.
func References(s string) []string {
	var list []string
	for {
		_, after, found := strings.Cut(s, "${")
		if !found {
			return list
		}
		kind, name, rest, closed := placeholder(after)
		if s = after; kind != "" && closed {
			list, s = append(list, "${"+kind+":"+name+"}"), rest
		}
	}
}
