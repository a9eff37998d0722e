package upstream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// markEnv names the variable by which a child's descendants are known.
const markEnv = "MCPPROXY_CHILD"

// Children is the durable record of the stdio children of this instance, one
// small file each. The next instance finds in it whom a killed one left behind.
// Only one instance at a time may use a directory. Nil records nothing. Safe
// for concurrent use.
type Children struct {
	dir      string
	instance string
	ladder   stopLadder // of Sweep
}

// child is one record.
type child struct {
	PID      int    `json:"pid"`
	Start    string `json:"start"` // processStart
	Instance string `json:"instance"`
	Mark     string `json:"mark"` // value of markEnv
	Server   string `json:"server"`
	Argv0    string `json:"argv0"`

	file string
}

// OpenChildren keeps records in dir, which it makes if need be.
func OpenChildren(dir string) (*Children, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil { //nolint:gosec // the data directory is the user's choice
		return nil, fmt.Errorf("record of children: %w", err)
	}
	return &Children{dir: dir, instance: rand.Text(), ladder: defaultLadder}, nil
}

// mark returns a new value of markEnv.
func (c *Children) mark() string { return rand.Text() }

// add records a started child and returns what removes the record.
func (c *Children) add(server, argv0, mark string, pid int) (forget func(), err error) {
	start, err := processStart(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil // it is gone already
	}
	if err != nil {
		return nil, fmt.Errorf("start time of pid %d: %w", pid, err)
	}
	data, err := json.Marshal(child{PID: pid, Start: start, Instance: c.instance, Mark: mark, Server: server, Argv0: argv0})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(c.dir, mark+".json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, fmt.Errorf("record of children: %w", err)
	}
	return func() { _ = os.Remove(file) }, nil
}

// Sweep ends the children that earlier instances left behind, each with its
// group: SIGTERM, after 3 s SIGKILL. A pid that another process has now is left
// alone. It returns within 6 s how many it ended; an error names those that
// outlived it, which stay on record.
func (c *Children) Sweep(ctx context.Context) (ended int, err error) {
	strays, err := c.strays()
	if err != nil || len(strays) == 0 {
		return 0, err
	}
	all, asked := len(strays), false
	for _, s := range strays {
		asked = recordedGroup(s.PID).terminate() || asked
	}
	if asked {
		strays = awaitStrays(ctx, strays, c.ladder.term)
	}
	for _, s := range strays {
		recordedGroup(s.PID).kill()
	}
	strays = awaitStrays(ctx, strays, c.ladder.kill)
	if len(strays) == 0 {
		return all, nil
	}
	if ctx.Err() != nil {
		return all - len(strays), ctx.Err()
	}
	return all - len(strays), fmt.Errorf("servers of an earlier run still running: %s: end them by hand", strings.Join(namesOf(strays), ", "))
}

// Strays names the children on record in dir that still run, for a person. It is
// for a directory that no instance uses now; a missing one has none.
func Strays(dir string) ([]string, error) {
	list, err := (&Children{dir: dir}).strays()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return namesOf(list), err
}

// namesOf tells children to a person.
func namesOf(list []child) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = fmt.Sprintf("%s (pid %d)", c.Server, c.PID)
	}
	return names
}

// strays returns the records of earlier instances whose processes still run,
// and removes the others.
func (c *Children) strays() ([]child, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("record of children: %w", err)
	}
	var strays []child
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".json" {
			continue
		}
		file := filepath.Join(c.dir, e.Name())
		r, err := readChild(file)
		switch {
		case err == nil && r.Instance == c.instance:
		case err == nil && r.runs():
			strays = append(strays, r)
		default: // over, reused or unreadable
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("record of children: %w", err)
			}
		}
	}
	return strays, nil
}

func readChild(file string) (child, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return child{}, err
	}
	r := child{file: file}
	if err := json.Unmarshal(data, &r); err != nil {
		return child{}, err
	}
	if r.PID <= 1 || r.Start == "" {
		return child{}, errors.New("no record of a child")
	}
	return r, nil
}

// runs reports whether the recorded child, or a descendant in its group, runs.
func (r child) runs() bool {
	start, err := processStart(r.PID)
	if err == nil {
		return start == r.Start && recordedGroup(r.PID).alive()
	}
	return r.Mark != "" && groupMarked(r.PID, markEnv+"="+r.Mark)
}

// awaitStrays returns those of strays that still run after d, and removes the
// records of the others.
func awaitStrays(ctx context.Context, strays []child, d time.Duration) []child {
	late := time.NewTimer(d)
	defer late.Stop()
	tick := time.NewTicker(5 * groupPoll)
	defer tick.Stop()
	for {
		var left []child
		for _, s := range strays {
			if recordedGroup(s.PID).alive() {
				left = append(left, s)
			} else {
				_ = os.Remove(s.file)
			}
		}
		strays = left
		if len(strays) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-late.C:
			return strays
		case <-ctx.Done():
			return strays
		}
	}
}
