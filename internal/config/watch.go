package config

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	settle = 100 * time.Millisecond // an editor's burst of events is over
	poll   = 2 * time.Second        // for file systems and limits that yield no events
)

// Watch calls onChange whenever the text of the file at path differs from what
// it was: written in place, replaced by rename, deleted, made again, or reached
// by a symbolic link that now leads elsewhere. It also calls it once at the
// start, so that no edit between a caller's Load and the watch is lost. Bursts
// are coalesced; onChange runs in the caller's goroutine. Watch returns nil when
// ctx ends. Neither file nor folder need exist.
func Watch(ctx context.Context, path string, onChange func()) error {
	w := &watch{path: path}
	if fs, err := fsnotify.NewWatcher(); err == nil { // else polling alone must do
		defer func() { _ = fs.Close() }()
		w.fs = fs
	}
	w.arm()
	w.last = digest(path)
	onChange()
	w.run(ctx, onChange)
	return nil
}

type watch struct {
	path  string
	fs    *fsnotify.Watcher // nil if the system has none left
	names map[string]bool   // of the file and the links to it
	last  [sha256.Size]byte
}

func (w *watch) run(ctx context.Context, onChange func()) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	var events <-chan fsnotify.Event
	var errs <-chan error
	if w.fs != nil {
		events, errs = w.fs.Events, w.fs.Errors
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-errs: //nolint:errcheck // most likely an overflow: look
			quiet.Reset(settle)
		case e := <-events:
			if w.concerns(e) {
				quiet.Reset(settle)
			}
		case <-ticker.C:
			if digest(w.path) != w.last { // never act in the middle of a burst
				quiet.Reset(settle)
			}
			w.arm()
		case <-quiet.C:
			w.arm()
			if now := digest(w.path); now != w.last {
				w.last = now
				onChange()
			}
		}
	}
}

// concerns leaves out writes to other files of the folder, where the database
// may be written all the time. A link of any name may be part of the path.
func (w *watch) concerns(e fsnotify.Event) bool {
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		return true
	}
	return e.Has(fsnotify.Write) && w.names[filepath.Base(e.Name)]
}

// arm watches the folders of the path and of every link on the way to the file,
// as editors and deployments replace files rather than write them. Adding a
// folder again is harmless and needed where it was deleted and made anew.
func (w *watch) arm() {
	if w.fs == nil {
		return
	}
	path := w.path
	w.names = map[string]bool{}
	for range 8 {
		w.names[filepath.Base(path)] = true
		_ = w.fs.Add(filepath.Dir(path)) // a missing folder is left to the ticker
		link, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		w.names[filepath.Base(target)] = true
		_ = w.fs.Add(filepath.Dir(target))
	}
}

// digest is of the file's text; the zero value stands for a file that cannot be
// read.
func digest(path string) [sha256.Size]byte {
	data, err := read(path)
	if err != nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(data)
}
