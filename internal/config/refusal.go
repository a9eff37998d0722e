package config

import (
	"errors"
	"fmt"
	"strings"

	"mcpproxy/internal/config/jsonc"
	"mcpproxy/internal/escape"
)

// refusal says that an edit would have given the file faults. Their lines and
// places are those of a text that nobody sees: it names the servers instead.
type refusal struct{ faults Faults }

func (r *refusal) Error() string {
	lines := []string{"nothing was changed, because the configuration could not be used with this"}
	for _, fault := range r.faults {
		lines = append(lines, "  "+fault.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the [Faults].
func (r *refusal) Unwrap() error { return r.faults }

// refusal turns the error of [Parse] for what e made of the file into that of the
// edit.
func (e *editor) refusal(err error) error {
	var faults Faults
	if !errors.As(err, &faults) {
		return fmt.Errorf("the change was not written: %w", err)
	}
	r := &refusal{}
	for _, f := range faults {
		r.faults = append(r.faults, Fault{Path: e.named(f.Path), Message: f.Message})
	}
	return r
}

// named is a path with the name of a server instead of its place in the list.
func (e *editor) named(path string) string {
	var i int
	if n, err := fmt.Sscanf(path, "mcpServers[%d]", &i); n != 1 || err != nil {
		return path
	}
	root := e.Root()
	name := root.Find(fmt.Sprintf("/mcpServers/%d/name", i))
	if name == nil || name.Value.Kind() != '"' {
		return path
	}
	_, member, _ := strings.Cut(path, "]")
	return fmt.Sprintf("server %q%s", escape.Clip(jsonc.Literal(*name), 80), strings.Replace(member, ".", ": ", 1))
}
