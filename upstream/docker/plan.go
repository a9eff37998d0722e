package docker

import (
	"cmp"
	"path/filepath"
	"strings"

	"mcpproxy/upstream"
)

// Places in a container.
const (
	state    = "/mcpproxy" // the server's volume
	home     = state + "/home"
	probeDir = "/.mcpproxy"
)

// defaultUser is uid and gid of a server: no user of the host or of an image.
const defaultUser = "65532:65532"

// plan is all that the settings say about one server's container, checked.
type plan struct {
	server  string
	image   string
	id      string // of the image, once it is known
	network string
	memory  string
	cpus    string
	workdir string // "" is the image's own
	volume  string
	user    string // uid:gid
	line    []string
	entry   string // program in place of the image's own way to start; "" keeps that
	mounts  []mount
	extra   []string
	env     environment
}

// plan checks the settings of s. Its error wraps [upstream.ErrConfig].
func (d *Docker) plan(s upstream.Spec) (*plan, error) {
	in := s.Isolation
	p := &plan{
		server: s.Name, image: in.Image, volume: d.volumeName(s.Name), line: inside(s.Command, s.Args),
		network: cmp.Or(in.Network, "bridge"), memory: cmp.Or(in.Memory, "512m"), cpus: cmp.Or(in.CPUs, "1.0"), workdir: in.WorkingDir,
	}
	if p.image == "" {
		return nil, faultf("no image is known for command %q; hint: set isolation.image of the server, or docker_isolation.default_images", program(p.line[0]))
	}
	if p.network == "host" || strings.HasPrefix(p.network, "container:") {
		return nil, faultf("isolation.network_mode %q is refused: it would share a network that is not the server's own; use bridge or none", p.network)
	}
	for _, text := range in.Mounts {
		m, err := readMount(text, d.opt.Private)
		if err != nil {
			return nil, err
		}
		p.mounts = append(p.mounts, m)
	}
	if p.workdir == "" {
		p.workdir = p.mounted(s.WorkingDir)
	}
	var err error
	if p.extra, err = readExtra(in.ExtraArgs); err != nil {
		return nil, err
	}
	p.user = userOf(p.extra)
	p.env, err = newEnvironment(s.Env)
	return p, err
}

// mounted returns where a folder of the host lies in the container, or "" if
// nobody asked for it there.
func (p *plan) mounted(dir string) string {
	if dir == "" {
		return ""
	}
	real, err := filepath.EvalSymlinks(dir) // as the sources of mounts are
	if err != nil {
		return ""
	}
	for _, m := range p.mounts {
		if contains(m.source, real) {
			return m.target + strings.TrimPrefix(real, m.source)
		}
	}
	return ""
}

// Describe says in words what an approval of an isolated server is bound to:
// where it runs and what of the host it reaches. Limits are no part of it.
func Describe(in upstream.Isolation) string {
	words := []string{"docker image " + cmp.Or(in.Image, "unknown"), "network " + cmp.Or(in.Network, "bridge")}
	if in.WorkingDir != "" {
		words = append(words, "folder "+in.WorkingDir)
	}
	for _, m := range in.Mounts {
		words = append(words, "mount "+m)
	}
	for _, arg := range in.ExtraArgs {
		words = append(words, "argument "+arg)
	}
	return strings.Join(words, ", ")
}
