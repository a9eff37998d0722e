package docker

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Inside is what a process in a container sees of its walls. Fields that cannot
// be told are empty.
type Inside struct {
	UID          int      `json:"uid"`
	GID          int      `json:"gid"`
	Capabilities string   `json:"capabilities"` // the effective set, hexadecimal
	Bounding     string   `json:"bounding"`     // what no process here can ever get back
	NoNewPrivs   bool     `json:"no_new_privs"`
	Seccomp      string   `json:"seccomp"`   // 0 off, 2 filter
	Init         string   `json:"init"`      // the program of process 1
	Processes    int      `json:"processes"` // visible, itself included
	Writable     []string `json:"writable"`  // where a file could be made
	Shared       []string `json:"shared"`    // mounts that are neither the kernel's nor docker's own
	Devices      []string `json:"devices"`   // block devices and kernel memory
	Addresses    []string `json:"addresses"`
	Sockets      []string `json:"sockets"`  // of container engines
	Metadata     bool     `json:"metadata"` // something answers at 169.254.169.254
	Memory       string   `json:"memory"`   // bytes
	CPUs         string   `json:"cpus"`
	PIDs         string   `json:"pids"`
	OpenFiles    string   `json:"open_files"`
	FileSize     string   `json:"file_size"` // bytes
}

// engineSockets open the machine to whoever can talk to them.
var engineSockets = []string{
	"/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock",
}

// metadataAddr is where clouds answer a machine's questions about itself.
const metadataAddr = "169.254.169.254:80"

// metadataTime is how long an answer is waited for.
const metadataTime = time.Second

// Probe looks at the walls from inside. It reads /proc and /sys, tries to make
// files, and opens one connection.
func Probe(ctx context.Context) Inside {
	in := Inside{UID: os.Getuid(), GID: os.Getgid(), Sockets: []string{}}
	status := statusOf("/proc/self/status")
	in.Capabilities, in.Bounding = status["CapEff"], status["CapBnd"]
	in.NoNewPrivs, in.Seccomp = status["NoNewPrivs"] == "1", status["Seccomp"]
	in.Init = statusOf("/proc/1/status")["Name"]
	in.Processes = processes()
	in.Writable, in.Shared = mounts()
	in.Devices = devices()
	in.Addresses = addresses()
	for _, path := range engineSockets {
		if _, err := os.Stat(path); err == nil {
			in.Sockets = append(in.Sockets, path)
		}
	}
	dialer := net.Dialer{Timeout: metadataTime}
	if conn, err := dialer.DialContext(ctx, "tcp", metadataAddr); err == nil {
		in.Metadata = true
		_ = conn.Close()
	}
	in.limits()
	return in
}

// statusOf reads the "Key:\tvalue" lines of a file in /proc.
func statusOf(file string) map[string]string {
	m := map[string]string{}
	data, _ := os.ReadFile(file)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, ":")
		m[key] = strings.TrimSpace(value)
	}
	return m
}

func processes() (n int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			n++
		}
	}
	return n
}

// kernelTypes are file systems that a kernel or docker itself provides.
var kernelTypes = []string{"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "tmpfs", "overlay", "aufs", "btrfs", "zfs"}

// dockersOwn are files that docker puts into every container.
var dockersOwn = []string{"/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/sbin/docker-init", "/dev/init", "/usr/sbin/docker-init"}

// mounts returns the places where a file could be made, and the mounts that come
// from elsewhere.
func mounts() (writable, shared []string) {
	data, _ := os.ReadFile("/proc/self/mountinfo") // proc_pid_mountinfo(5)
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for scanner.Scan() {
		before, after, _ := strings.Cut(scanner.Text(), " - ")
		kind, _, _ := strings.Cut(after, " ")
		parts := strings.Fields(before)
		if len(parts) < 6 {
			continue
		}
		target := parts[4]
		if canWrite(target) && !slices.Contains(writable, target) {
			writable = append(writable, target)
		}
		if !slices.Contains(kernelTypes, kind) && !slices.Contains(dockersOwn, target) && !strings.HasPrefix(target, probeDir) && target != state {
			shared = append(shared, target)
		}
	}
	if canWrite(home) && !slices.Contains(writable, home) {
		writable = append(writable, home)
	}
	return writable, shared
}

// canWrite reports whether a file can be made in dir; it is removed again.
func canWrite(dir string) bool {
	f, err := os.CreateTemp(dir, ".mcpproxy-probe-")
	if err != nil {
		return false
	}
	_ = f.Close()
	return os.Remove(f.Name()) == nil //nolint:gosec // its own file
}

// devices returns what in /dev opens the machine's disks or memory.
func devices() []string {
	found := []string{}
	entries, _ := os.ReadDir("/dev")
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		block := info.Mode()&os.ModeDevice != 0 && info.Mode()&os.ModeCharDevice == 0
		if block || slices.Contains([]string{"mem", "kmem", "kmsg", "port", "kvm"}, e.Name()) {
			found = append(found, filepath.Join("/dev", e.Name()))
		}
	}
	return found
}

func addresses() []string {
	found := []string{}
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() {
			found = append(found, a.String())
		}
	}
	return found
}

// limits reads control groups of either version, and resource limits.
func (in *Inside) limits() {
	const root = "/sys/fs/cgroup/"
	in.Memory = firstOf(root+"memory.max", root+"memory/memory.limit_in_bytes")
	in.PIDs = firstOf(root+"pids.max", root+"pids/pids.max")
	quota, period, ok := strings.Cut(firstOf(root+"cpu.max"), " ")
	if !ok {
		quota, period = firstOf(root+"cpu/cpu.cfs_quota_us", root+"cpu,cpuacct/cpu.cfs_quota_us"), firstOf(root+"cpu/cpu.cfs_period_us", root+"cpu,cpuacct/cpu.cfs_period_us")
	}
	q, errQ := strconv.ParseFloat(quota, 64)
	p, errP := strconv.ParseFloat(period, 64)
	if errQ == nil && errP == nil && q > 0 && p > 0 {
		in.CPUs = strconv.FormatFloat(q/p, 'g', 4, 64)
	}
	data, _ := os.ReadFile("/proc/self/limits")
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			in.OpenFiles = strings.Fields(rest)[0]
		}
		if rest, ok := strings.CutPrefix(line, "Max file size"); ok {
			in.FileSize = strings.Fields(rest)[0]
		}
	}
}

func firstOf(files ...string) string {
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(data))
		}
	}
	return ""
}
