package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"mcpproxy/internal/client"
	"mcpproxy/internal/hint"
)

// instance looks at the running one, or at whether one could run.
func instance(ctx context.Context, opt Options) []Finding {
	c, err := opt.Instance()
	if errors.Is(err, client.ErrNotRunning) {
		list := []Finding{{"instance.none", Attention, "instance", "no mcpproxy is running on this data directory", "mcpproxy serve"}}
		return append(list, ports(opt)...)
	}
	if err != nil {
		return []Finding{because("instance.unreachable", Error, "instance", err, "restart it: end mcpproxy serve and start it again")}
	}
	defer c.Close()
	st, err := c.Status(ctx)
	if err != nil {
		return []Finding{because("instance.unreachable", Error, "instance", err, "restart it: end mcpproxy serve and start it again")}
	}
	list := []Finding{ok("instance", "instance", fmt.Sprintf("version %s (pid %d) at %s", st.Version, st.PID, st.Endpoint))}
	if st.Version != opt.Version {
		list = append(list, Finding{"instance.version", Attention, "instance", fmt.Sprintf("it is version %s, this command %s", st.Version, opt.Version), "restart mcpproxy serve"})
	}
	if st.ConfigError != "" {
		list = append(list, Finding{"config.not_in_force", Error, st.ConfigPath, "the running instance refused the file: " + st.ConfigError, "mend the file; it is read again when you save it"})
	}
	if st.StorageError != "" {
		list = append(list, Finding{"storage.failing", Error, "instance", "it cannot store approvals or the record: " + st.StorageError, "free space or make it writable again; what is approved goes on meanwhile"})
	}
	list = append(list, approvals(st.Loss)...)
	list = append(list, exposure(opt)...)
	list = append(list, upstreams(st.Servers)...)
	return append(list, searchIndex(st.Index)...)
}

func exposure(opt Options) []Finding {
	if opt.Loopback {
		return nil
	}
	return []Finding{{"port.beyond_loopback", Attention, "listen", "other machines can reach the proxy", `"listen": ":8080" keeps it to this machine; agents elsewhere need the API key`}}
}

// ports tries every address that serve would bind.
func ports(opt Options) []Finding {
	list := exposure(opt)
	for _, addr := range opt.Addrs {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			_ = l.Close()
			continue
		}
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			continue // a machine without IPv6
		}
		list = append(list, Finding{"port.taken", Error, addr, "serve could not listen there: " + err.Error(), "end the program that has the port, or: mcpproxy serve --listen :8081"})
	}
	return list
}

// levels of what a server's state means; others are fine.
var levels = map[string]Level{
	"failed": Error, "backing-off": Error, "needs-login": Error, "held": Attention,
}

func upstreams(servers []client.Server) []Finding {
	var list []Finding
	for _, s := range servers {
		level, bad := levels[s.State]
		cause := "it is " + s.State
		switch {
		case s.State == "held":
			cause = "it does not run: nobody approved it as it is now"
		case s.Error != "":
			why, _, _ := strings.Cut(s.Error, "\nhint: ") // Hint is the better one
			cause += ": " + why
		}
		switch {
		case bad:
			list = append(list, Finding{"server." + strings.ReplaceAll(s.State, "-", "_"), level, s.Name, cause, s.Hint})
		case s.HeldTools > 0:
			list = append(list, Finding{"server.held_tools", Attention, s.Name, fmt.Sprintf("%d of the items that it lists wait for your approval", s.HeldTools), hint.Command("quarantine", "inspect", s.Name)})
		case s.Enabled:
			list = append(list, ok("server", s.Name, fmt.Sprintf("%s, %d tools", s.State, s.Tools)))
		}
		if s.AutoApprove != "" {
			list = append(list, Finding{"server.auto_approve", Attention, s.Name, "the configuration lets it change without your approval (" + s.AutoApprove + ")", `remove "auto_approve" or "quarantine_enabled" from the configuration`})
		}
	}
	return list
}

func searchIndex(ix client.Index) []Finding {
	switch {
	case ix.ModelError != "":
		return []Finding{{"index.model", Error, "index", "the chosen model does not serve: " + ix.ModelError, "mcpproxy models verify, or choose another: mcpproxy models use NAME"}}
	case ix.Model != "" && ix.Vectors < ix.Tools:
		return []Finding{{"index.vectors", Attention, "index", fmt.Sprintf("%d of %d tools have vectors; the rest follow in the background", ix.Vectors, ix.Tools), "wait a moment; if it stays so: mcpproxy index rebuild"}}
	case ix.Rebuilt != "":
		return []Finding{{"index.rebuilt", Attention, "index", "it was made anew at the start: " + ix.Rebuilt, ""}}
	}
	return []Finding{ok("index", "index", fmt.Sprintf("%d tools, model %s", ix.Tools, orNone(ix.Model)))}
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}
