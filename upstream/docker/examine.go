package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcpproxy/upstream"
)

// Report is what an examination of a server's walls found.
type Report struct {
	Image  string
	ID     string // of the image: sha256:...
	Inside bool   // a process in a container of the server looked; else docker was asked
	Checks []Check
}

// Check is one thing that walls are for.
type Check struct {
	What   string // such as "user"
	Found  string // in words
	OK     bool
	Advice string // what to do where it is not OK
}

// probeTime bounds the probe.
const probeTime = 30 * time.Second

// Examine builds the walls of s around a probe instead of the server and says
// what it sees. self is this program for Linux, which is mounted read-only and
// run as "self doctor probe"; where there is none, docker is asked instead.
func (d *Docker) Examine(ctx context.Context, s upstream.Spec, self string) (Report, error) {
	r, err := d.examine(ctx, s, self)
	if err != nil {
		return r, fmt.Errorf("docker isolation: %w", err)
	}
	return r, nil
}

func (d *Docker) examine(ctx context.Context, s upstream.Spec, self string) (Report, error) {
	p, err := d.plan(s)
	if err != nil {
		return Report{}, err
	}
	defer d.say(s.Name, "")
	if err := d.sweepFirst(ctx); err != nil {
		return Report{}, err
	}
	id, err := d.needImage(ctx, p)
	if err != nil {
		return Report{}, err
	}
	r := Report{Image: p.image, ID: id}
	if self == "" || runtime.GOOS != "linux" {
		r.Checks, err = d.asked(ctx, p)
		return r, err
	}
	in, err := d.probe(ctx, p, self)
	if err != nil {
		return r, fmt.Errorf("probe in a container of %s: %w", p.image, err)
	}
	r.Inside, r.Checks = true, judge(in, p)
	return r, nil
}

// probe runs self in the container of p.
func (d *Docker) probe(ctx context.Context, p *plan, self string) (Inside, error) {
	info, err := os.Stat(self)
	if err != nil {
		return Inside{}, err
	}
	if info.Mode()&0o005 != 0o005 {
		return Inside{}, fmt.Errorf("%s cannot be run by others; hint: chmod 755 %s", self, self)
	}
	const program = probeDir + "/mcpproxy"
	q := *p
	q.mounts = append(slices.Clip(q.mounts), mount{source: self, target: program})
	q.entry = program
	out, err := d.once(ctx, &q, probeTime, []string{"doctor", "probe"})
	if err != nil {
		return Inside{}, err
	}
	var in Inside
	if err := json.Unmarshal([]byte(out), &in); err != nil {
		return Inside{}, errors.New("the probe answered with something else than a report")
	}
	return in, nil
}

// inits are the first processes that docker and its relatives start.
var inits = []string{"docker-init", "tini", "catatonit"}

// judge compares what a process sees with what p promises.
func judge(in Inside, p *plan) []Check {
	checks := []Check{
		check("user", fmt.Sprintf("%d:%d", in.UID, in.GID), in.UID != 0 && in.GID != 0, "the server runs as root of its container"),
		check("capabilities", orNone(strings.Trim(in.Capabilities, "0")), strings.Trim(in.Capabilities+in.Bounding, "0") == "", "the server holds rights of root"),
		check("new privileges", word(in.NoNewPrivs, "impossible", "possible"), in.NoNewPrivs, "setuid programs of the image give rights"),
		check("system calls", word(in.Seccomp == "2", "filtered", "not filtered"), in.Seccomp == "2", "docker runs without its seccomp profile"),
		check("processes", fmt.Sprintf("sees %d, the first is %s", in.Processes, in.Init), in.Processes < 20 && slices.Contains(inits, in.Init), "it may see processes of the host"),
		check("writable", orNone(strings.Join(in.Writable, ", ")), writableOK(in, p), "the root of the container can be changed"),
		check("mounts", orNone(strings.Join(in.Shared, ", ")), sharedOK(in, p), "there are mounts that the settings do not name"),
		check("devices", orNone(strings.Join(in.Devices, ", ")), len(in.Devices) == 0, "it sees disks or memory of the machine"),
		check("engine sockets", orNone(strings.Join(in.Sockets, ", ")), len(in.Sockets) == 0, "it can start containers: remove the mount"),
		check("network", p.network+": "+orNone(strings.Join(in.Addresses, ", ")), p.network != "none" || len(in.Addresses) == 0, "it has a network that it should not have"),
		check("metadata service", word(in.Metadata, "169.254.169.254 answers", "out of reach"), !in.Metadata, "a cloud's credentials are in reach: set network_mode none, or forbid it on the host"),
		check("memory", bytesIn(in.Memory), limited(in.Memory), "set memory_limit, and see whether docker info warns"),
		check("processors", orNone(in.CPUs), in.CPUs != "", "set cpu_limit, and see whether docker info warns"),
		check("process limit", orNone(in.PIDs), limited(in.PIDs), "a fork bomb can stop the machine"),
		check("open files", orNone(in.OpenFiles), limited(in.OpenFiles), "set --ulimit nofile=1024 in extra_args"),
		check("file size", bytesIn(in.FileSize), limited(in.FileSize), "one file can fill the disk"),
	}
	return checks
}

func check(what, found string, ok bool, advice string) Check {
	c := Check{What: what, Found: found, OK: ok}
	if !ok {
		c.Advice = advice
	}
	return c
}

// writableOK accepts /tmp, the volume, and what the settings name.
func writableOK(in Inside, p *plan) bool {
	for _, dir := range in.Writable {
		known := dir == "/tmp" || dir == home || dir == "/dev/shm" || dir == "/dev/mqueue" || p.names(dir)
		if !known {
			return false
		}
	}
	return true
}

func sharedOK(in Inside, p *plan) bool {
	for _, dir := range in.Shared {
		if !p.names(dir) {
			return false
		}
	}
	return true
}

// names reports whether the settings name a place in the container.
func (p *plan) names(dir string) bool {
	for _, m := range p.mounts {
		if m.target == dir {
			return true
		}
	}
	for _, arg := range p.extra {
		if v, ok := strings.CutPrefix(arg, "--tmpfs="); ok && (v == dir || strings.HasPrefix(v, dir+":")) {
			return true
		}
	}
	return false
}

func word(yes bool, one, other string) string {
	if yes {
		return one
	}
	return other
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// limited reports whether a limit of the kernel is one: version 1 of control
// groups writes a number close to 2^63 for none.
func limited(text string) bool {
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && n < 1<<60
}

func bytesIn(text string) string {
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case err != nil || !limited(text):
		return "no limit"
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	default:
		return fmt.Sprintf("%d MiB", n>>20)
	}
}
