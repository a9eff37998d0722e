package docker

import (
	"encoding/csv"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// mount is one folder or file of the host in a container.
type mount struct {
	source   string // of the host, absolute
	target   string
	writable bool
}

// kept are places of the host that no server is given, with all that is below
// them: they hold the host's own keys, devices and sockets.
var kept = []string{"/proc", "/sys", "/dev", "/run", "/var/run", "/etc", "/boot", "/var/lib/docker"}

// keptInHome are the like in a person's home.
var keptInHome = []string{".ssh", ".gnupg", ".aws", ".kube", ".docker", ".config/gcloud", ".azure", ".netrc", ".mcpproxy", ".local/share/keyrings"}

// own are targets that are ours.
var own = []string{state, "/tmp", "/proc", "/sys", "/dev", probeDir}

// readMount reads HOST:CONTAINER[:ro|:rw]. Mounts are read-only unless they say
// otherwise. private are further paths of the host that no server is given.
func readMount(text string, private []string) (mount, error) {
	refused := func(format string, args ...any) (mount, error) {
		return mount{}, faultf("isolation.mounts %q %s", text, fmt.Sprintf(format, args...))
	}
	rest, writable := strings.CutSuffix(text, ":rw")
	if !writable {
		rest = strings.TrimSuffix(rest, ":ro")
	}
	i := strings.LastIndex(rest, ":/")
	if i < 1 {
		return refused("must read HOST:CONTAINER or HOST:CONTAINER:rw, with an absolute path in the container")
	}
	m := mount{source: expandHome(rest[:i]), target: path.Clean(rest[i+1:]), writable: writable}
	if !filepath.IsAbs(m.source) {
		return refused("needs an absolute path of this machine")
	}
	if m.target == "/" || overlaps(m.target, own) {
		return refused("would hide what the container needs at %s", m.target)
	}
	if why := refuse(filepath.ToSlash(filepath.Clean(m.source)), private); why != "" {
		return refused("%s", why)
	}
	real, err := filepath.EvalSymlinks(m.source)
	if err != nil {
		return refused("names a path that does not exist here")
	}
	info, err := os.Stat(real)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return refused("is neither a folder nor a file: sockets and devices stay outside")
	}
	m.source = real
	if why := refuse(filepath.ToSlash(real), private); why != "" {
		return refused("%s", why)
	}
	return m, nil
}

// refuse says why a path of the host is not given to a server, or "".
func refuse(source string, private []string) string {
	if filepath.VolumeName(source)+"/" == source || source == "/" {
		return "is the whole machine: mount the folder that the server needs"
	}
	if overlaps(source, kept) {
		return "holds the machine's own keys, devices or sockets, docker's among them"
	}
	if overlaps(source, private) {
		return "holds what mcpproxy keeps: approvals, keys and logs"
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ""
	}
	if real, err := filepath.EvalSymlinks(home); err == nil {
		home = real
	}
	home = filepath.ToSlash(home)
	if contains(source, home) {
		return "holds your whole home: mount the folder that the server needs"
	}
	for _, name := range keptInHome {
		if contains(home+"/"+name, source) {
			return "holds your keys"
		}
	}
	return ""
}

// overlaps reports whether p contains one of places or lies in one.
func overlaps(p string, places []string) bool {
	for _, place := range places {
		if contains(p, place) || contains(place, p) {
			return true
		}
	}
	return false
}

// contains reports whether p is dir or lies in it, where the system ignores case
// in any.
func contains(dir, p string) bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		dir, p = strings.ToLower(dir), strings.ToLower(p)
	}
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// arg is the value of --mount, which is a line of CSV.
func (m mount) arg() string {
	fields := []string{"type=bind", "source=" + m.source, "target=" + m.target}
	if !m.writable {
		fields = append(fields, "readonly")
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(fields) // into memory
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

func expandHome(p string) string {
	rest, ok := strings.CutPrefix(p, "~")
	if !ok || rest != "" && rest[0] != '/' && rest[0] != '\\' {
		return p
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return p
	}
	return filepath.Join(home, rest)
}

// bothForms returns each path as it is written and as it is behind links, both
// absolute and with slashes, as mounts are compared.
func bothForms(paths []string) []string {
	var forms []string
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			abs = p
		}
		forms = append(forms, filepath.ToSlash(abs))
		if real, err := filepath.EvalSymlinks(abs); err == nil && real != abs {
			forms = append(forms, filepath.ToSlash(real))
		}
	}
	return forms
}
