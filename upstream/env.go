package upstream

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// inherited names the variables that a child gets from the proxy's own
// environment: what programs need to find their files, and no credentials.
// A trailing * stands for any rest.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "LC_*",
	"TMPDIR", "TMP", "TEMP", "XDG_*", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// inheritedWindows is what programs on Windows need beside inherited.
var inheritedWindows = []string{
	"ALLUSERSPROFILE", "APPDATA", "COMMONPROGRAMFILES", "COMPUTERNAME", "COMSPEC", "HOMEDRIVE", "HOMEPATH",
	"LOCALAPPDATA", "NUMBER_OF_PROCESSORS", "OS", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA",
	"PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "SYSTEMDRIVE", "SYSTEMROOT", "USERNAME", "USERPROFILE", "WINDIR",
}

// childEnv returns the environment of a child: the inherited part of own, then
// extra, which wins. The order is fixed.
func childEnv(own []string, extra map[string]string) []string {
	env := make([]string, 0, len(own)+len(extra))
	for _, kv := range own {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || !inherits(name) || strings.HasPrefix(value, "()") { // an exported bash function is code
			continue
		}
		if _, set := lookupEnv(extra, name); !set {
			env = append(env, kv)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		env = append(env, name+"="+extra[name])
	}
	return env
}

func inherits(name string) bool {
	if runtime.GOOS != "windows" {
		return slices.ContainsFunc(inherited, func(p string) bool { return envMatch(p, name) })
	}
	name = strings.ToUpper(name)
	return slices.ContainsFunc(inherited, func(p string) bool { return envMatch(p, name) }) ||
		slices.Contains(inheritedWindows, name)
}

// SecretVar reports whether the value of an environment variable may be a secret:
// those that every child inherits, and the paths of what exists, are none.
func SecretVar(name, value string) bool {
	if inherits(name) {
		return false
	}
	if filepath.IsAbs(value) {
		_, err := os.Lstat(value) //nolint:gosec // looked at, not opened
		return err != nil
	}
	return true
}

func envMatch(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// lookupEnv finds name in env, without regard to case on Windows.
func lookupEnv(env map[string]string, name string) (string, bool) {
	if v, ok := env[name]; ok || runtime.GOOS != "windows" {
		return v, ok
	}
	for k, v := range env {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// expandSpec returns s with the placeholders of Args, Env and WorkingDir
// resolved. Its error wraps ErrConfig or ErrNotNow and names the place, never a
// value.
func expandSpec(s Spec, expand func(string) (string, error)) (Spec, error) {
	args := slices.Clone(s.Args)
	for i, a := range args {
		v, err := expandText(a, expand)
		if err != nil {
			return s, unresolved(fmt.Sprintf("args[%d]", i), err)
		}
		args[i] = v
	}
	env, err := expandMap("env", s.Env, expand)
	if err != nil {
		return s, err
	}
	dir, err := expandText(s.WorkingDir, expand)
	if err != nil {
		return s, unresolved("working_dir", err)
	}
	s.Args, s.Env, s.WorkingDir = args, env, dir
	return s, nil
}

// unresolved says at which place a placeholder has no value.
func unresolved(place string, err error) error {
	if errors.Is(err, ErrNotNow) {
		return fmt.Errorf("%s: %w", place, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrConfig, place, err)
}

// expandMap returns m with its values resolved; field says what m is.
func expandMap(field string, m map[string]string, expand func(string) (string, error)) (map[string]string, error) {
	out := make(map[string]string, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v, err := expandText(m[k], expand)
		if err != nil {
			return nil, unresolved(fmt.Sprintf("%s %q", field, k), err)
		}
		out[k] = v
	}
	return out, nil
}

func expandText(text string, expand func(string) (string, error)) (string, error) {
	if expand == nil {
		return text, nil
	}
	return expand(text)
}

// checkWorkingDir returns an error wrapping ErrConfig if dir is no directory.
func checkWorkingDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return fmt.Errorf("%w: working_dir %q does not exist: create it or correct the path", ErrConfig, dir)
	case err != nil:
		return fmt.Errorf("%w: working_dir %q cannot be opened: check its permissions", ErrConfig, dir)
	case !info.IsDir():
		return fmt.Errorf("%w: working_dir %q is not a directory", ErrConfig, dir)
	}
	return nil
}

// findCommand returns the file that command names: looked up on the PATH that
// the child will have, relative paths from its working directory.
func findCommand(s Spec, look func(file string) (string, error)) (string, error) {
	if s.Command == "" {
		return "", fmt.Errorf("%w: no command is set", ErrConfig)
	}
	name := s.Command
	onPath := filepath.Base(name) == name
	if !onPath && !filepath.IsAbs(name) && s.WorkingDir != "" {
		name = filepath.Join(s.WorkingDir, name)
	}
	var file string
	var err error
	if path, ok := lookupEnv(s.Env, "PATH"); ok && onPath {
		file, err = lookOn(path, name, look)
	} else {
		file, err = look(name)
	}
	if err == nil {
		return filepath.Abs(file)
	}
	return "", commandError(s.Command, onPath, err)
}

// lookOn is look over the directories of path instead of the proxy's own PATH.
func lookOn(path, name string, look func(string) (string, error)) (string, error) {
	err := os.ErrNotExist
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // never run what happens to lie in the working directory
		}
		file, lookErr := look(filepath.Join(dir, name))
		if lookErr == nil {
			return file, nil
		}
		if os.IsPermission(lookErr) {
			err = lookErr
		}
	}
	return "", err
}
