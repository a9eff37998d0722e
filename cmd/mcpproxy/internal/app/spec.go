package app

import (
	"maps"
	"slices"

	"mcpproxy/internal/config"
	"mcpproxy/internal/secret"
	"mcpproxy/quarantine"
	"mcpproxy/upstream"
)

// specOf translates one configured server for the pool. held is empty or why
// the server must not run yet.
func (a *App) specOf(s config.Server, held string) upstream.Spec {
	return upstream.Spec{
		Name: s.Name, Transport: s.Transport, SSEFallback: s.SSEFallback,
		Command: s.Command, Args: s.Args, Env: s.Env, WorkingDir: s.WorkingDir,
		URL: s.URL, Headers: s.Headers, Isolation: isolationOf(s, a.inForce.Load().DockerIsolation.Timeout),
		Disabled: !s.Enabled, Held: held, Timeout: s.Timeout,
	}
}

// launchOf returns what an approval of the server is bound to.
func (a *App) launchOf(s config.Server) quarantine.Launch {
	return quarantine.Launch{
		Transport: s.Transport, Command: s.Command, Args: s.Args, WorkingDir: s.WorkingDir, URL: s.URL,
		EnvNames: slices.Sorted(maps.Keys(s.Env)), HeaderNames: slices.Sorted(maps.Keys(s.Headers)), Isolation: wallsOf(s),
		References: referencesOf(s), ImageID: a.imageID(s), Issuer: a.logins.Issuer(s.Name),
	}
}

// referencesOf names the secrets that the server is given, and where. Literal
// values, and what stands around a placeholder, are nobody's business.
func referencesOf(s config.Server) (list []string) {
	add := func(where, value string) {
		for _, r := range secret.References(value) {
			list = append(list, where+" "+r)
		}
	}
	for name, value := range s.Env {
		add("env "+name, value)
	}
	for name, value := range s.Headers {
		add("header "+name, value)
	}
	if s.OAuth != nil {
		add("oauth client_secret", s.OAuth.ClientSecret)
	}
	slices.Sort(list)
	return list
}

// policiesOf is what the file lets pass at the gate without a person.
func policiesOf(cfg *config.Config) map[string]quarantine.Policy {
	m := make(map[string]quarantine.Policy, len(cfg.Servers))
	for _, s := range cfg.Servers {
		switch {
		case !cfg.QuarantineEnabled:
			m[s.Name] = quarantine.PolicyAll
		case s.AutoApprove != "none":
			m[s.Name] = quarantine.Policy(s.AutoApprove)
		default:
			m[s.Name] = quarantine.PolicyNone
		}
	}
	return m
}

// trustsFirst reports whether the file approves the first sight of the server.
func trustsFirst(s config.Server) bool { return s.Quarantined != nil && !*s.Quarantined }
