package docker

import (
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// envName is what may stand behind -e: no "=", so that it is a name alone.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// maxFileEnv is what fits in a pipe that nobody reads yet, in bytes.
const maxFileEnv = 32 << 10

// environment is the server's own variables on their way into a container. The
// docker command takes values from its own environment, by name. Variables that
// would change the docker command itself go through a pipe: neither argv nor a
// disk ever holds a value.
type environment struct {
	names []string // of values
	env   []string // KEY=value for the docker command
	piped string   // a file of lines KEY=value; "": none
}

func newEnvironment(vars map[string]string) (e environment, err error) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !envName.MatchString(name) {
			return e, faultf("env %q is not a name that a container can have", name)
		}
		if !steersDocker(name) {
			e.names = append(e.names, name)
			e.env = append(e.env, name+"="+vars[name])
			continue
		}
		if runtime.GOOS == "windows" || strings.ContainsAny(vars[name], "\r\n") {
			return e, faultf("env %q cannot be passed into a container from here: leave it to the image", name)
		}
		e.piped += name + "=" + vars[name] + "\n"
	}
	if len(e.piped) > maxFileEnv {
		return e, faultf("env is larger than a container can be given")
	}
	return e, nil
}

// args are the options of docker create.
func (e environment) args() (args []string) {
	for _, name := range e.names {
		args = append(args, "--env", name)
	}
	if e.piped != "" {
		args = append(args, "--env-file", "/dev/fd/3")
	}
	return args
}

// files are what the docker command must inherit. The caller closes them.
func (e environment) files() ([]*os.File, error) {
	if e.piped == "" {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }()
	if _, err := w.WriteString(e.piped); err != nil {
		_ = r.Close()
		return nil, err
	}
	return []*os.File{r}, nil
}

// steersDocker reports whether the docker command, or what loads it, reads the
// variable.
func steersDocker(name string) bool {
	upper := strings.ToUpper(name)
	for _, prefix := range []string{"DOCKER_", "LD_", "DYLD_", "XDG_", "SSH_", "GO", "BUILD", "COMPOSE_", "SSL_CERT_", "OTEL_", "GIT_", "MCPPROXY_"} {
		if strings.HasPrefix(upper, prefix) {
			return true
		}
	}
	return strings.HasSuffix(upper, "_PROXY") ||
		slices.Contains([]string{"PATH", "HOME", "USER", "USERPROFILE", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"}, upper)
}
