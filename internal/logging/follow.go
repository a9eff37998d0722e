package logging

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

const followEvery = 250 * time.Millisecond

// Follow calls each for the last lines of a server's log, oldest first, and then
// for every line that is written, through rotations, until ctx ends or each
// returns an error. It returns that error or the one of ctx. A server that logs
// nothing yet is waited for.
func (l *Logs) Follow(ctx context.Context, name string, lines int, each func(line string) error) error {
	path := l.ServerPath(name)
	f := &follower{path: path}
	defer f.close()
	if err := f.start(lines); err != nil {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if err := f.read(each); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follower reads one log file after the other, as they are rotated.
type follower struct {
	path    string
	file    *os.File // nil before there is one
	info    fs.FileInfo
	partial []byte // a line without its end yet
}

// start opens the current file and goes to where its last lines begin.
func (f *follower) start(lines int) error {
	if err := f.open(); err != nil || f.file == nil {
		return err
	}
	end := f.info.Size()
	text, err := tail(f.file, end, min(lines, maxTailLines))
	if err != nil {
		return err
	}
	if lines <= 0 {
		text = nil
	}
	_, err = f.file.Seek(end-int64(len(text)), io.SeekStart)
	return err
}

// open opens the current file; a missing one is none.
func (f *follower) open() error {
	if f.path == "" {
		return nil
	}
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.info = file, info
	return nil
}

func (f *follower) close() {
	if f.file != nil {
		_ = f.file.Close()
	}
}

// read hands over what was written since, of the file that was open and of its
// successor.
func (f *follower) read(each func(string) error) error {
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	for f.file != nil {
		now, err := os.Stat(f.path)
		rotated := err == nil && !os.SameFile(now, f.info)
		if err := f.drain(each); err != nil || !rotated {
			return err
		}
		f.close()
		f.file, f.partial = nil, nil
		if err := f.open(); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) drain(each func(string) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.file.Read(buf)
		rest := append(f.partial, buf[:n]...)
		for {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if !whole {
				break
			}
			if err := each(string(line)); err != nil {
				return err
			}
			rest = after
		}
		f.partial = bytes.Clone(rest)
		if errors.Is(err, io.EOF) || n == 0 && err == nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
