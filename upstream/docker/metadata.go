package docker

import (
	"context"
	"errors"
	"os"
	"strings"

	"go.uber.org/zap"
)

// sink is a network of all link-local addresses (RFC 3927) that leads nowhere: no
// address of the host is on it. A container on it sends what it has for
// 169.254.169.254, where clouds hand out the machine's credentials, into the void.
// Servers cannot talk to each other on it either.
const sink = "mcpproxy-link-local"

var sinkArgs = []string{
	"network", "create", "--driver", "bridge", "--internal",
	"--subnet", "169.254.0.0/16", "--ip-range", "169.254.200.0/22", "--gateway", "169.254.200.1",
	"--opt", "com.docker.network.bridge.inhibit_ipv4=true", "--opt", "com.docker.network.bridge.enable_icc=false",
	"--label", "mcpproxy.network=link-local", sink,
}

// hideMetadata connects the container to the sink. A docker that cannot is
// reported, and the server runs: most machines have nothing at that address.
func (d *Docker) hideMetadata(ctx context.Context, c *container) error {
	if c.p.network == "none" {
		return nil
	}
	err := errLocalResolver
	if !localResolver(resolvers) {
		err = d.connectSink(ctx, c.name)
	}
	if failed := new(commandError); errors.As(err, &failed) || errors.Is(err, errLocalResolver) {
		d.log.Warn("docker isolation: the container can reach link-local addresses, such as a cloud's metadata service",
			zap.String("server", c.p.server), zap.Error(err))
		return nil
	}
	return err
}

// errLocalResolver keeps a container from losing its names with the metadata.
var errLocalResolver = errors.New("the name server of this machine has such an address itself")

// resolvers are the files that docker takes a container's name servers from.
var resolvers = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// localResolver reports whether one of the files names a server at a link-local
// address, as on Google's cloud.
func localResolver(files []string) bool {
	for _, file := range files {
		data, _ := os.ReadFile(file)
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" && strings.HasPrefix(f[1], "169.254.") {
				return true
			}
		}
	}
	return false
}

// connectSink makes the sink if need be. It looks first: a container that was to
// be connected to a network which is not there cannot start any more.
func (d *Docker) connectSink(ctx context.Context, name string) error {
	d.sinking.Lock()
	defer d.sinking.Unlock()
	_, err := d.docker(ctx, "network", "inspect", "--format", "{{.Id}}", sink)
	if failed := new(commandError); errors.As(err, &failed) {
		_, err = d.docker(ctx, sinkArgs...)
	}
	if err == nil {
		_, err = d.docker(ctx, "network", "connect", sink, name)
	}
	return err
}
