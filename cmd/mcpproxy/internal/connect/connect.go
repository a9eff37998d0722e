// Package connect writes mcpproxy's entry into the configuration files of MCP
// clients and reads other servers out of them.
//
// A file belongs to the person: an edit changes our entry and nothing else,
// byte for byte, is checked by reading the result back, can be previewed, and is
// undone from a backup. What cannot be edited so is refused with [ErrLayout].
package connect

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mcpproxy/internal/atomicfile"
	"mcpproxy/internal/config/jsonc"
)

// EntryName is what the entry is called in every client.
const EntryName = "mcpproxy"

// Errors of this package.
var (
	// ErrLayout is wrapped if a file cannot be edited without touching more than
	// our entry.
	ErrLayout = errors.New("this file's layout has no place for an entry that leaves the rest as it is")
	// ErrNotConnected is wrapped by [Client.Undo] if there is nothing of ours.
	ErrNotConnected = errors.New("not connected")
	// ErrUnknown is wrapped by [Find].
	ErrUnknown = errors.New("unknown client")
)

// Entry is how clients reach the proxy: those that speak HTTP by URL and
// Headers, the others by starting Command.
type Entry struct {
	URL     string
	Headers map[string]string // Authorization, where the proxy asks for its key
	Command string            // absolute path of mcpproxy
	Args    []string
}

// Change is what a [Plan] does to a file.
type Change string

// The changes.
const (
	Add    Change = "add"
	Update Change = "update"
	None   Change = "none" // the entry is there already
)

// Plan is one edit of one file, not yet written.
type Plan struct {
	Client  Client
	Path    string
	Existed bool // false: the file will be made
	Change  Change
	Section string        // of the file, such as mcpServers
	Fields  []jsonc.Field // of our entry, in order; header values are secret

	before, after []byte
}

// Plan returns the edit that gives the client this entry. An empty path is the
// client's own. The error wraps [ErrLayout], or says what is wrong with the file
// without quoting it.
func (c Client) Plan(p Places, e Entry, path string) (*Plan, error) {
	if path == "" {
		path = c.Path(p)
	}
	before, existed, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Title, err)
	}
	plan := &Plan{Client: c, Path: path, Existed: existed, Section: c.section, Fields: c.entry(e), before: before}
	old, there, err := c.current(before)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Title, path, err)
	}
	switch {
	case !there:
		plan.Change = Add
	case same(old, object(plan.Fields)):
		plan.Change, plan.after = None, before
		return plan, nil
	default:
		plan.Change = Update
	}
	if plan.after, err = c.format.put(before, c.section, plan.Fields); err == nil {
		err = verify(c, before, plan.after, plan.Fields)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Title, path, err)
	}
	return plan, nil
}

// Apply writes the file and, in the folder backups, what [Client.Undo] needs.
// The file keeps its permissions, but with a key in it nobody else may read it; a
// new one is 0600.
func (p *Plan) Apply(backups string) error {
	if p.Change == None {
		return nil
	}
	now, existed, err := read(p.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Client.Title, err)
	}
	if existed != p.Existed || !bytes.Equal(now, p.before) {
		return fmt.Errorf("%s: %s changed meanwhile; run the command again", p.Client.Title, p.Path)
	}
	if err := saveBackup(backups, p); err != nil {
		return fmt.Errorf("%s: backup: %w", p.Client.Title, err)
	}
	mode := modeOf(p.Path)
	if p.HoldsKey() {
		mode &= 0o700
	}
	if err := atomicfile.Write(p.Path, p.after, mode); err != nil {
		return fmt.Errorf("%s: %w", p.Client.Title, err)
	}
	return nil
}

// HoldsKey reports whether the entry has the proxy's key in a header.
func (p *Plan) HoldsKey() bool {
	return slices.ContainsFunc(p.Fields, func(f jsonc.Field) bool {
		_, headers := f.Value.(map[string]string)
		return headers
	})
}

// Undone is what [Client.Undo] did.
type Undone struct {
	Path string
	// Restored is true if the file is byte for byte as it was before the edit,
	// false if it changed since and only our entry went.
	Restored bool
	Removed  bool // the file did not exist before the edit and is gone again
}

// Undo takes our entry out of the client's file: by the backup if the file is as
// Apply left it, else entry by entry. The error wraps [ErrNotConnected] or
// [ErrLayout].
func (c Client) Undo(p Places, backups, path string) (Undone, error) {
	if path == "" {
		path = c.Path(p)
	}
	saved, err := loadBackup(backups, c, path)
	if err != nil {
		return Undone{}, fmt.Errorf("%s: backup: %w", c.Title, err)
	}
	now, existed, err := read(path)
	if err != nil {
		return Undone{}, fmt.Errorf("%s: %w", c.Title, err)
	}
	u := Undone{Path: path}
	switch {
	case saved != nil && existed && saved.leftAs(now) && !saved.Existed:
		u.Restored, u.Removed = true, true
		err = os.Remove(path)
	case saved != nil && existed && saved.leftAs(now):
		u.Restored = true
		err = atomicfile.Write(path, saved.Before, modeOf(path))
	default:
		err = c.drop(path, now)
	}
	if err == nil && saved != nil {
		err = saved.remove()
	}
	if err != nil {
		return Undone{}, fmt.Errorf("%s: %w", c.Title, err)
	}
	return u, nil
}

// drop removes our entry from a file that changed since it was written.
func (c Client) drop(path string, now []byte) error {
	_, there, err := c.current(now)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !there {
		return fmt.Errorf("%w: %s has no entry %q", ErrNotConnected, path, EntryName)
	}
	after, err := c.format.drop(now, c.section)
	if err == nil {
		err = verify(c, now, after, nil)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, after, modeOf(path))
}

// maxFile is far above any client's configuration, in bytes.
const maxFile = 32 << 20

// read returns the text of path; a missing file is empty.
func read(path string) (text []byte, existed bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case !info.Mode().IsRegular():
		return nil, false, fmt.Errorf("%s is not a file", path)
	case info.Size() > maxFile:
		return nil, false, fmt.Errorf("%s is larger than %d MiB", path, maxFile>>20)
	}
	text, err = os.ReadFile(filepath.Clean(path))
	return text, err == nil, err
}

func modeOf(path string) fs.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o600
}
