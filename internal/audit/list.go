package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Filter chooses entries; an empty field chooses all.
type Filter struct {
	What, Server, Tool, Outcome string
	Since                       time.Time
	After                       uint64 // only entries with a higher Seq
	Limit                       int    // the most, newest of them; 0: all
}

func (f Filter) wants(e Entry) bool {
	return e.Seq > f.After && !e.Time.Before(f.Since) &&
		(f.What == "" || f.What == e.What) && (f.Server == "" || f.Server == e.Server) &&
		(f.Tool == "" || f.Tool == e.Tool) && (f.Outcome == "" || f.Outcome == e.Outcome)
}

// List returns the entries that f chooses, oldest first, with everything recorded
// before the call. Lines that cannot be read are left out.
func (l *Log) List(f Filter) ([]Entry, error) {
	l.Flush()
	files, err := l.files()
	if err != nil {
		return nil, err
	}
	var parts [][]Entry // newest file first
	count := 0
	for _, path := range slices.Backward(files) {
		part, older, err := read(path, f)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		count += len(part)
		if !older || f.Limit > 0 && count >= f.Limit {
			break
		}
	}
	list := make([]Entry, 0, count)
	for _, part := range slices.Backward(parts) {
		list = append(list, part...)
	}
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[len(list)-f.Limit:]
	}
	return list, nil
}

// Wait returns nil once an entry after seq was written, or the error of ctx.
func (l *Log) Wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		grown, written := l.grown, l.seq > seq && len(l.queue) == 0
		l.mu.Unlock()
		if written {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.done:
			return fs.ErrClosed
		}
	}
}

// files returns the record's files, oldest first. The names of rotated ones sort
// by the time at which they were closed.
func (l *Log) files() ([]string, error) {
	dir, ext := filepath.Dir(l.path), filepath.Ext(l.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var list []string
	for _, e := range entries { // sorted by name
		if strings.HasPrefix(e.Name(), strings.TrimSuffix(fileName, ext)+"-") && filepath.Ext(e.Name()) == ext {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return append(list, l.path), nil
}

// read returns what f chooses of one file, and whether an older file may have
// more of it.
func read(path string, f Filter) (list []Entry, older bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) { // rotated away, or not begun
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("audit: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	older = true
	for first := true; lines.Scan(); {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if first {
			older, first = e.Seq > f.After+1 && e.Time.After(f.Since), false
		}
		if f.wants(e) {
			list = append(list, e)
		}
	}
	return list, older, lines.Err()
}

// last returns the highest Seq on disk.
func (l *Log) last() (uint64, error) {
	files, err := l.files()
	if err != nil {
		return 0, err
	}
	for _, path := range slices.Backward(files) {
		for _, n := range []int64{64 << 10, 1 << 40} { // all of it only where its end has no whole line
			seq, err := lastOf(path, n)
			if seq > 0 || err != nil {
				return seq, err
			}
		}
	}
	return 0, nil
}

// lastOf returns the Seq of the last whole line in the last n bytes, or 0.
func lastOf(path string, n int64) (uint64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	end, err := io.ReadAll(io.NewSectionReader(f, max(info.Size()-n, 0), n))
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	for _, line := range slices.Backward(bytes.Split(end, []byte("\n"))) {
		var e Entry
		if json.Unmarshal(line, &e) == nil && e.Seq > 0 {
			return e.Seq, nil
		}
	}
	return 0, nil
}

// Last returns the Seq of the last entry that was recorded, 0 before the first.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}
