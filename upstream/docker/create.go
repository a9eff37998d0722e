package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path"
	"time"
)

// homeEnv points programs at the home on the server's volume. The server's own
// env wins.
var homeEnv = []string{
	"HOME=" + home, "USER=mcpproxy", "LOGNAME=mcpproxy",
	"XDG_CACHE_HOME=" + home + "/.cache", "XDG_CONFIG_HOME=" + home + "/.config", "XDG_DATA_HOME=" + home + "/.local/share",
	"npm_config_cache=" + home + "/.npm", "PIP_CACHE_DIR=" + home + "/.cache/pip", "PYTHONUSERBASE=" + home + "/.local",
	"UV_CACHE_DIR=" + home + "/.cache/uv", "UV_TOOL_DIR=" + home + "/.local/share/uv/tools",
	"GOPATH=" + home + "/go", "GOCACHE=" + home + "/.cache/go-build", "CARGO_HOME=" + home + "/.cargo",
}

// createArgs is the whole command line of docker create.
func (d *Docker) createArgs(name string, p *plan) []string {
	args := []string{
		"create", "--interactive", "--rm", "--init", "--pull", "never", "--name", name,
		"--label", labelInstance + "=" + d.instance, "--label", labelServer + "=" + p.server, "--label", labelRun + "=" + d.run,
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--user", p.user, "--ipc", "none",
		"--pids-limit", "256", "--memory", p.memory, "--memory-swap", p.memory, "--cpus", p.cpus,
		"--ulimit", "nofile=1024:1024", "--ulimit", "fsize=2147483648:2147483648", "--ulimit", "core=0:0",
		"--tmpfs", "/tmp:rw,exec,nosuid,nodev,size=256m", "--stop-timeout", "5",
		"--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=1",
		"--network", p.network, "--mount", "type=volume,source=" + p.volume + ",target=" + state,
	}
	for _, m := range p.mounts {
		args = append(args, "--mount", m.arg())
	}
	if p.workdir != "" {
		args = append(args, "--workdir", p.workdir)
	}
	for _, kv := range homeEnv {
		args = append(args, "--env", kv)
	}
	args = append(args, p.env.args()...)
	args = append(args, p.extra...)
	if p.entry != "" {
		args = append(args, "--entrypoint", p.entry)
	}
	return append(append(args, cmp.Or(p.id, p.image)), p.line...)
}

// create makes the container of p with its volume ready, and does not start it.
func (d *Docker) create(ctx context.Context, p *plan) (_ *container, err error) {
	file, err := d.find()
	if err != nil {
		return nil, err
	}
	c := &container{d: d, p: p, name: d.containerName(p.server), docker: file, life: context.WithoutCancel(ctx), since: time.Now()}
	defer func() {
		if err != nil {
			c.remove()
		}
	}()
	if err := d.needVolume(ctx, p); err != nil {
		return nil, err
	}
	files, err := p.env.files()
	if err != nil {
		return nil, err
	}
	_, err = d.invoke(ctx, invocation{args: d.createArgs(c.name, p), env: p.env.env, files: files})
	for _, f := range files {
		_ = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("create a container of %s: %w", p.image, err)
	}
	layout, err := homeLayout(p.user)
	if err != nil {
		return nil, err
	}
	if _, err := d.invoke(ctx, invocation{args: []string{"cp", "-", c.name + ":" + state}, stdin: bytes.NewReader(layout)}); err != nil {
		return nil, fmt.Errorf("prepare the volume: %w", err)
	}
	return c, d.hideMetadata(ctx, c)
}

// needVolume makes the server's volume, with labels that a volume which docker
// makes on its own would not have.
func (d *Docker) needVolume(ctx context.Context, p *plan) error {
	_, err := d.docker(ctx, "volume", "create", "--label", labelInstance+"="+d.instance, "--label", labelServer+"="+p.server, p.volume)
	return err
}

// homeLayout is a tar of one folder, the home, that belongs to user. Unpacking it
// into a volume is how a home gets its owner without a process that runs as root.
// It holds nothing below: a server could put a symbolic link in its way.
func homeLayout(user string) ([]byte, error) {
	h := tar.Header{Typeflag: tar.TypeDir, Name: path.Base(home) + "/", Mode: 0o700, ModTime: time.Unix(0, 0)}
	if _, err := fmt.Sscanf(user, "%d:%d", &h.Uid, &h.Gid); err != nil {
		return nil, fmt.Errorf("user %q: %w", user, err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&h); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}
