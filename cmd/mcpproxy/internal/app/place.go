package app

import (
	"context"
	"fmt"
	"net"

	"mcpproxy/cmd/mcpproxy/internal/api"
	"mcpproxy/internal/client"
	"mcpproxy/internal/config"
)

// Place is where an instance keeps its things and how agents reach it.
type Place struct {
	DataDir, ConfigPath string
	Running             bool
	Endpoint            string // URL of /mcp for an agent on this machine
	Key                 string // what agents must send as bearer token; empty: nothing
}

// Locate asks the running instance, or else reads the file. It makes the API key
// if agents need one and there is none yet. A faulty file is an error only if no
// instance runs.
func Locate(ctx context.Context, opt Options) (Place, error) {
	a := &App{opt: opt}
	cfg, err := a.locate()
	p := Place{DataDir: a.dir, ConfigPath: a.configPath}
	if c, dialErr := client.Dial(a.dir); dialErr == nil {
		defer c.Close()
		st, statusErr := c.Status(ctx)
		if statusErr != nil {
			return p, statusErr
		}
		p.Running, p.Endpoint, p.ConfigPath = true, st.Endpoint, st.ConfigPath
	}
	if err != nil && !p.Running {
		return p, err
	}
	if err != nil {
		return p, nil // the instance has the last good file; what it asks of agents is not known
	}
	a.inForce.Store(cfg)
	if p.Endpoint == "" {
		p.Endpoint = restingEndpoint(a.listenAddr())
	}
	if cfg.RequireMCPAuth || !config.IsLoopback(a.listenAddr()) {
		p.Key, err = api.Key(a.dir)
	}
	return p, err
}

// restingEndpoint is endpointURL before anything listens.
func restingEndpoint(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || host == "" || config.IsLoopback(listen) || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s/mcp/", net.JoinHostPort(host, port))
}
