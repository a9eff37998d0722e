package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"mcpproxy/internal/client"
)

func configuration(_ context.Context, opt Options) []Finding {
	subject := opt.ConfigPath
	switch {
	case errors.Is(opt.ConfigError, fs.ErrNotExist):
		return []Finding{{"config.missing", Attention, subject, "there is no configuration yet", "mcpproxy init"}}
	case opt.ConfigError != nil:
		return []Finding{{"config.faulty", Error, subject, opt.ConfigError.Error(), "mend the lines named above; a running instance keeps the last good configuration"}}
	}
	list := []Finding{ok("config", subject, fmt.Sprintf("valid; servers switched on: %d", len(opt.Servers)))}
	for _, w := range opt.ConfigWarnings {
		list = append(list, Finding{"config.warning", Attention, subject, w, "see docs/configuration.md"})
	}
	return list
}

// private are the files of the data directory that only their owner may read.
var private = []string{client.KeyFile, "mcpproxy.db", "mcpproxy.pid", "audit", "backups", "connect", "children", "logins"}

func files(_ context.Context, opt Options) []Finding {
	info, err := os.Stat(opt.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{ok("files", opt.DataDir, "not made yet; the first command does")}
	case err != nil:
		return []Finding{{"files.unreadable", Error, opt.DataDir, err.Error(), "choose another one with --data-dir"}}
	case !info.IsDir():
		return []Finding{{"files.no_directory", Error, opt.DataDir, "it is not a directory", "choose another one with --data-dir"}}
	}
	var list []Finding
	if err := writable(opt.DataDir); err != nil {
		list = append(list, Finding{"files.read_only", Error, opt.DataDir, "nothing can be written there: " + err.Error(), "give yourself write access, or choose another one with --data-dir"})
	}
	if home, err := os.UserHomeDir(); runtime.GOOS == "windows" && err == nil && outside(home, opt.DataDir) {
		list = append(list, Finding{"files.outside_profile", Attention, opt.DataDir, "it lies outside your profile, where files are as open as their folder", "move it below " + home})
	}
	if runtime.GOOS != "windows" { // whose access lists these bits do not tell
		paths := []string{opt.DataDir, opt.ConfigPath}
		for _, name := range private {
			paths = append(paths, filepath.Join(opt.DataDir, name))
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
				list = append(list, Finding{"files.mode", Attention, path,
					fmt.Sprintf("others on this machine may open it (%v)", info.Mode().Perm()), fmt.Sprintf("chmod go-rwx %q", path)})
			}
		}
	}
	if len(list) == 0 {
		list = append(list, ok("files", opt.DataDir, "writable, and yours alone"))
	}
	return list
}

// outside reports whether dir is not below home.
func outside(home, dir string) bool {
	rel, err := filepath.Rel(home, dir)
	return err != nil || !filepath.IsLocal(rel)
}

func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return errors.Unwrap(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

const lowSpace = 100 << 20 // bytes

func space(_ context.Context, opt Options) []Finding {
	free, err := freeSpace(opt.DataDir)
	if err != nil || free >= lowSpace {
		return nil // unknown, or enough
	}
	return []Finding{{"disk.low", Attention, opt.DataDir, fmt.Sprintf("only %d MB are free", free>>20), "free some space: approvals cannot be stored on a full disk"}}
}
