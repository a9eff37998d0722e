package docker

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// option is one option of docker that extra_args may hold. check says what is
// wrong with a value, or "".
type option struct{ check func(value string) string }

var anyValue = option{func(string) string { return "" }}

// matching accepts values of one form.
func matching(form, must string) option {
	re := regexp.MustCompile("^(?:" + form + ")$")
	return option{func(value string) string {
		if re.MatchString(value) {
			return ""
		}
		return must
	}}
}

// options are those that open nothing: names, addresses, and limits.
var options = map[string]option{
	"--add-host": anyValue, "--dns": anyValue, "--dns-option": anyValue, "--dns-search": anyValue, "--hostname": anyValue,
	"--entrypoint": anyValue, "--platform": anyValue, "--stop-signal": anyValue, "--stop-timeout": anyValue, "--shm-size": anyValue,
	"--cpu-shares": anyValue, "--cpuset-cpus": anyValue, "--memory-reservation": anyValue, "--blkio-weight": anyValue,
	"--pids-limit": matching("[1-9][0-9]{0,4}", "must be a number from 1 to 99999"),
	"--ulimit":     matching("[a-z]+=[0-9]+(:[0-9]+)?", "must be a limit such as nofile=4096"),
	"--label": {func(v string) string {
		return map[bool]string{true: "must not be one of mcpproxy's own"}[strings.HasPrefix(v, "mcpproxy.")]
	}},
	"--tmpfs": {checkTmpfs},
	"--user":  matching("[1-9][0-9]{0,8}(:[1-9][0-9]{0,8})?", "must be a number above 0, such as 1000 or 1000:1000: never root"),
	"--ipc":   matching("none|private", "must be none or private"),
}

// elsewhere says which setting does what an option would.
var elsewhere = map[string]string{
	"-e": "env", "--env": "env", "--env-file": "env",
	"-v": "isolation.mounts", "--volume": "isolation.mounts", "--mount": "isolation.mounts", "--volumes-from": "isolation.mounts",
	"--network": "isolation.network_mode", "--net": "isolation.network_mode",
	"-m": "isolation.memory_limit", "--memory": "isolation.memory_limit", "--memory-swap": "isolation.memory_limit", "--cpus": "isolation.cpu_limit",
	"-w": "isolation.working_dir", "--workdir": "isolation.working_dir",
}

// readExtra checks extra_args against the list of options and returns them as
// --name=value, in order. Whatever is not on the list is refused.
func readExtra(args []string) ([]string, error) {
	var out []string
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		opt, ok := options[name]
		switch {
		case elsewhere[name] != "":
			return nil, extraFault(name, "is not taken here: use "+elsewhere[name])
		case !ok:
			return nil, extraFault(name, "is refused: it could open the walls; allowed are "+strings.Join(slices.Sorted(maps.Keys(options)), " "))
		case !joined && i+1 == len(args):
			return nil, extraFault(name, "needs a value")
		case !joined:
			i++
			value = args[i]
		}
		if fault := opt.check(value); fault != "" {
			return nil, extraFault(name, fault)
		}
		out = append(out, name+"="+value)
	}
	return out, nil
}

func extraFault(name, what string) error {
	return faultf("isolation.extra_args: %s %s", name, what)
}

// checkTmpfs keeps a tmpfs from hiding what the container needs and from taking
// device files.
func checkTmpfs(value string) string {
	target, flags, _ := strings.Cut(value, ":")
	switch {
	case !strings.HasPrefix(target, "/") || target == "/" || overlaps(target, own):
		return "must name a folder of the container that is not mcpproxy's own"
	case slices.ContainsFunc(strings.Split(flags, ","), func(f string) bool { return f == "suid" || f == "dev" }):
		return "must not allow suid or dev"
	}
	return ""
}

// userOf returns uid and gid that extra sets, or our own.
func userOf(extra []string) string {
	user := defaultUser
	for _, arg := range extra {
		if v, ok := strings.CutPrefix(arg, "--user="); ok {
			user = v
			if !strings.Contains(user, ":") {
				user += ":" + user
			}
		}
	}
	return user
}
