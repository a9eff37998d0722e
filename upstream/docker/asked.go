package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// settings is what docker inspect says of a container's walls.
type settings struct {
	Config struct {
		User string
	}
	HostConfig struct {
		CapDrop        []string
		CapAdd         []string
		Privileged     bool
		SecurityOpt    []string
		ReadonlyRootfs bool
		NetworkMode    string
		PidMode        string
		Memory         int64
		NanoCpus       int64
		PidsLimit      int64
		Devices        []any
	}
	Mounts []struct{ Type, Source, Destination string }
}

// asked creates the container of p, asks docker about it, and starts nothing.
func (d *Docker) asked(ctx context.Context, p *plan) ([]Check, error) {
	c, err := d.create(ctx, p)
	if err != nil {
		return nil, err
	}
	defer c.remove()
	out, err := d.docker(ctx, "container", "inspect", "--format", "{{json .}}", c.name)
	if err != nil {
		return nil, err
	}
	var s settings
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return nil, fmt.Errorf("docker container inspect: %w", err)
	}
	h := s.HostConfig
	var bound []string
	for _, m := range s.Mounts {
		if m.Type != "volume" {
			bound = append(bound, m.Destination)
		}
	}
	return []Check{
		check("user", s.Config.User, s.Config.User == p.user, "the server runs as another user"),
		check("capabilities", "dropped: "+orNone(strings.Join(h.CapDrop, ", ")), strings.Join(h.CapDrop, "") == "ALL" && len(h.CapAdd) == 0 && !h.Privileged, "the server holds rights of root"),
		check("new privileges", orNone(strings.Join(h.SecurityOpt, ", ")), strings.Contains(strings.Join(h.SecurityOpt, " "), "no-new-privileges"), "setuid programs of the image give rights"),
		check("processes", word(h.PidMode == "", "its own", h.PidMode), h.PidMode == "", "it may see processes of the host"),
		check("writable", word(h.ReadonlyRootfs, "/tmp, "+home, "everything"), h.ReadonlyRootfs, "the root of the container can be changed"),
		check("mounts", orNone(strings.Join(bound, ", ")), len(bound) == len(p.mounts), "there are mounts that the settings do not name"),
		check("devices", fmt.Sprint(len(h.Devices)), len(h.Devices) == 0, "it is given devices"),
		check("network", h.NetworkMode, h.NetworkMode == p.network, "it has another network than the settings say"),
		check("memory", bytesIn(fmt.Sprint(h.Memory)), h.Memory > 0, "set memory_limit"),
		check("processors", fmt.Sprint(float64(h.NanoCpus)/1e9), h.NanoCpus > 0, "set cpu_limit"),
		check("process limit", fmt.Sprint(h.PidsLimit), h.PidsLimit > 0, "a fork bomb can stop the machine"),
	}, nil
}
